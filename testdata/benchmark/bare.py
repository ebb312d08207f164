"""What a careful person would write by hand with DuckDB alone: load one partner's file into one table.

    python3 bare.py DATABASE FILE.csv.gz

One SQL pass reads the gzipped file as text, casts each column with a guard and says what is wrong with a row; the typed
rows are staged as Parquet. Then the last row of each id wins, replaces what is there, and the rejected rows are kept in
a table. Uniqueness is asserted at the end. `worker bench rows` runs it against the product on the same files and prints
both figures; it needs duckdb of the same version as the product's: pip install duckdb==1.5.5.
"""

import json
import os
import sys
import time

import duckdb

COLUMNS = json.loads(os.environ["BENCH_COLUMNS"])  # [name, type, check] in the file's order; check is SQL or empty


def guard(name, kind):
    form = {"BIGINT": "[+-]?[0-9]{1,18}", "DOUBLE": r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", "DATE": "[0-9]{4}-[0-9]{2}-[0-9]{2}",
            "TIMESTAMPTZ": r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})", "BOOLEAN": "true|false"}.get(kind)
    return name if form is None else f"CASE WHEN regexp_full_match({name}, '{form}') THEN TRY_CAST({name} AS {kind}) END"


def main(database, path):
    began = time.monotonic()
    db = duckdb.connect(database)
    db.execute("SET memory_limit = '%s'" % os.environ.get("BENCH_MEMORY", "2GB"))
    db.execute("SET temp_directory = '%s'" % (database + ".temp"))
    db.execute("SET TimeZone = 'UTC'")
    db.execute("SET enable_progress_bar = false")
    stage = database + ".stage.parquet"
    names = [c[0] for c in COLUMNS]
    reasons = []
    for name, kind, check in COLUMNS:
        if name == "partner_id":
            reasons.append("CASE WHEN coalesce(trim(partner_id), '') = '' THEN 'required partner_id' END")
        if kind != "VARCHAR":
            reasons.append(f"CASE WHEN {name} IS NOT NULL AND ({guard(name, kind)}) IS NULL THEN 'type {name}' END")
        if check:
            reasons.append(f"CASE WHEN NOT ({check}) THEN 'rule {name}' END")
    db.execute(f"""
        COPY (
          SELECT row_number() OVER () AS __line, {', '.join(f'{guard(n, k)} AS {n}' for n, k, _ in COLUMNS)},
            partner_id AS __raw_id, nullif(concat_ws('; ', {', '.join(reasons)}), '') AS __reason
          FROM read_csv('{path}', auto_detect = false, header = true, delim = ',', quote = '"', escape = '"', nullstr = '',
            columns = {{{', '.join(f"'{n}': 'VARCHAR'" for n in names)}}})
        ) TO '{stage}' (FORMAT parquet, COMPRESSION snappy)""")
    typed = ", ".join(f"{n} {k}" for n, k, _ in COLUMNS)
    db.execute(f"CREATE TABLE IF NOT EXISTS profiles (__line BIGINT, {typed})")
    db.execute("CREATE TABLE IF NOT EXISTS rejected (file VARCHAR, line BIGINT, reason VARCHAR)")
    db.execute("BEGIN")
    db.execute(f"""CREATE OR REPLACE TEMP TABLE winners AS SELECT partner_id, max(__line) AS line FROM read_parquet('{stage}')
        WHERE __reason IS NULL GROUP BY partner_id""")
    db.execute("DELETE FROM profiles WHERE partner_id IN (SELECT partner_id FROM winners)")
    db.execute(f"""INSERT INTO profiles SELECT s.__line, {', '.join('s.' + n for n in names)} FROM read_parquet('{stage}') AS s
        JOIN winners AS w ON s.__line = w.line""")
    db.execute(f"INSERT INTO rejected SELECT '{path}', __line, __reason FROM read_parquet('{stage}') WHERE __reason IS NOT NULL")
    db.execute("COMMIT")
    profiles, distinct = db.execute("SELECT count(*), count(DISTINCT partner_id) FROM profiles").fetchone()
    assert profiles == distinct, (profiles, distinct)
    rejected, = db.execute("SELECT count(*) FROM rejected WHERE file = ?", [path]).fetchone()
    db.close()
    os.remove(stage)
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    print(json.dumps({"peakBytes": peak, "profiles": profiles, "rejected": rejected, "seconds": time.monotonic() - began}))


main(*sys.argv[1:])
