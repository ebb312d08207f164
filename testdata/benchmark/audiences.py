"""What a careful person would write by hand with DuckDB alone to evaluate audiences: on the table that bare.py has loaded.

    BENCH_RULES='[...]' python3 audiences.py DATABASE

Each rule is one INSERT ... SELECT of the members' ids into a table; then all rules at once are one scan that gives each
prospect a mask of bits. Run again after the table has changed, it also tells by one join who is new, stayed and left, both
from rows and from masks. Printed are the processor seconds of each and the members by audience: new, stayed and left.
"""

import json
import os
import resource
import sys
import time

import duckdb

RULES = json.loads(os.environ["BENCH_RULES"])
WORDS = [RULES[i:i + 64] for i in range(0, len(RULES), 64)]


def measured(do):
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    do()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {"cpuSeconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, "wallSeconds": time.monotonic() - began}


def main(database):
    db = duckdb.connect(database)
    db.execute("SET memory_limit = '%s'" % os.environ.get("BENCH_MEMORY", "2GB"))
    db.execute("SET temp_directory = '%s'" % (database + ".temp"))
    db.execute("SET enable_progress_bar = false")
    again = bool(db.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'members'").fetchall())
    if again:
        db.execute("DROP TABLE IF EXISTS members_before")
        db.execute("DROP TABLE IF EXISTS masks_before")
        db.execute("ALTER TABLE members RENAME TO members_before")
        db.execute("ALTER TABLE masks RENAME TO masks_before")

    def queries():
        db.execute("CREATE TABLE members (audience USMALLINT, partner_id VARCHAR)")
        for i, rule in enumerate(RULES):
            db.execute(f"INSERT INTO members SELECT {i}, partner_id FROM profiles WHERE {rule}")

    def mask():
        bits = ", ".join(" | ".join(f"CASE WHEN {rule} THEN {1 << i}::UBIGINT ELSE 0::UBIGINT END" for i, rule in enumerate(word)) + f" AS w{n}"
                         for n, word in enumerate(WORDS))
        db.execute(f"CREATE TABLE masks AS SELECT partner_id, {bits} FROM profiles")

    def delta():
        db.execute("""
            CREATE OR REPLACE TABLE delta AS
            SELECT coalesce(m.audience, b.audience) AS audience, coalesce(m.partner_id, b.partner_id) AS partner_id,
              CASE WHEN m.partner_id IS NULL THEN 'exited' WHEN b.partner_id IS NULL THEN 'realized' ELSE 'existing' END AS status
            FROM members AS m FULL JOIN members_before AS b ON m.audience = b.audience AND m.partner_id = b.partner_id""")

    def mask_delta():
        words = ", ".join(f"coalesce(m.w{n}, 0) & ~coalesce(b.w{n}, 0) AS realized{n}, coalesce(m.w{n}, 0) & coalesce(b.w{n}, 0) AS existing{n}, "
                          f"~coalesce(m.w{n}, 0) & coalesce(b.w{n}, 0) AS exited{n}" for n in range(len(WORDS)))
        db.execute(f"""CREATE OR REPLACE TABLE mask_delta AS SELECT coalesce(m.partner_id, b.partner_id) AS partner_id, {words}
            FROM masks AS m FULL JOIN masks_before AS b ON m.partner_id = b.partner_id""")

    out = {"queries": measured(queries), "mask": measured(mask)}
    counted = "SELECT audience, count(*), 0, 0 FROM members GROUP BY audience"
    if again:
        out |= {"delta": measured(delta), "maskDelta": measured(mask_delta)}
        counted = """SELECT audience, count(*) FILTER (status = 'realized'), count(*) FILTER (status = 'existing'), count(*) FILTER (status = 'exited')
            FROM delta GROUP BY audience"""
    counts = {row[0]: row[1:] for row in db.execute(counted).fetchall()}
    print(json.dumps(out | {"members": [counts.get(i, [0, 0, 0]) for i in range(len(RULES))]}))
    db.close()


main(*sys.argv[1:])
