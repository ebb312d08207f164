"""What a careful person would write by hand with DuckDB alone to evaluate audiences: on the table that bare.py has loaded.

    BENCH_RULES='[...]' python3 audiences.py DATABASE

Each rule is one INSERT ... SELECT of the members' ids into a table; then all rules at once are one scan that gives each
prospect a mask of bits. Printed are the processor seconds of both and the sizes, which must be the product's.
"""

import json
import os
import resource
import sys
import time

import duckdb

RULES = json.loads(os.environ["BENCH_RULES"])


def measured(do):
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    do()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.monotonic() - began


def main(database):
    db = duckdb.connect(database)
    db.execute("SET memory_limit = '%s'" % os.environ.get("BENCH_MEMORY", "2GB"))
    db.execute("SET temp_directory = '%s'" % (database + ".temp"))
    db.execute("SET enable_progress_bar = false")

    def queries():
        db.execute("CREATE OR REPLACE TABLE members (audience USMALLINT, partner_id VARCHAR)")
        for i, rule in enumerate(RULES):
            db.execute(f"INSERT INTO members SELECT {i}, partner_id FROM profiles WHERE {rule}")

    def mask():
        words = [RULES[i:i + 63] for i in range(0, len(RULES), 63)]
        bits = ", ".join(" | ".join(f"CASE WHEN {rule} THEN {1 << i}::UBIGINT ELSE 0::UBIGINT END" for i, rule in enumerate(word)) for word in words)
        db.execute(f"CREATE OR REPLACE TABLE masks AS SELECT partner_id, {bits} FROM profiles")

    queries_cpu, queries_wall = measured(queries)
    mask_cpu, mask_wall = measured(mask)
    sizes = dict(db.execute("SELECT audience, count(*) FROM members GROUP BY audience").fetchall())
    print(json.dumps({"queries": {"cpuSeconds": queries_cpu, "wallSeconds": queries_wall}, "mask": {"cpuSeconds": mask_cpu, "wallSeconds": mask_wall},
                      "sizes": [sizes.get(i, 0) for i in range(len(RULES))]}))
    db.close()


main(*sys.argv[1:])
