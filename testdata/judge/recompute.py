#!/usr/bin/env python3
"""Recompute the exported audiences from the partners' files and compare.

    recompute.py --acme acme.csv.gz --merk merk.psv --media DIR --liveramp DIR

A second opinion on the whole way from file to file: it shares no code with the program that it
judges, and restates in plain Python what the sample workspace declares in YAML. DIR are folders
with the files of one delivery each; several parts of one delivery count as one. A line is printed
for every check, the counts follow as JSON on the last line. Exit code 1 when anything differs.
"""

import argparse
import csv
import datetime
import glob
import gzip
import io
import json
import os
import re
import sys
from collections import Counter

# --- How a delimited file is split into records -------------------------------------------------
#
# A record is one line, or several when a quoted field spans lines. Empty lines are no records.
# Quotes in quoted fields are doubled; a field is quoted as a whole or not at all. A record is
# refused when it holds a NUL or is not UTF-8, when its quotes do not fit, when its number of
# columns is not the header's, or when it is above 100 KB. A record of several lines that does not end
# within 100 KB, or has a wrong number of columns, begins with a stray quote: then its first line is
# refused, and the next record begins on the next line.

LARGEST = 100 * 1024
FARTHEST = LARGEST + 2


class Splitter:
    def __init__(self, data, delimiter):
        d = re.escape(delimiter.encode())
        self.data = data[3:] if data.startswith(b"\xef\xbb\xbf") else data
        self.delimiter = delimiter.encode()
        field = rb'(?:"(?:[^"]|"")*"|[^"\n' + d + rb"]*)"
        self.record = re.compile(field + rb"(?:" + d + field + rb")*")
        self.field = re.compile(rb"(?:^|" + d + rb')("(?:[^"]|"")*"|[^"\n' + d + rb"]*)")
        self.position = 0
        self.columns = None

    def header(self):
        fields, fault = next(self.records())
        if fault:
            sys.exit(f"the header cannot be read: {fault}")
        self.columns = len(fields)
        return [f.decode() for f in fields]

    def records(self):
        """Yield (fields, None) or (None, what is wrong)."""
        while self.position < len(self.data):
            start = self.position
            end = self.data.find(b"\n", start) + 1 or len(self.data)
            raw = without_line_end(self.data[start:end])
            self.position = end
            if not raw:
                continue
            fault, fields = None, None
            if b'"' not in raw:
                fields = raw.split(self.delimiter)
            else:
                longer = self.quoted(start, end)
                if longer is None:
                    fault = "quoting"
                else:
                    text, stop = longer
                    fields = [unquoted(f) for f in self.field.findall(text)]
                    if stop > end and self.columns not in (None, len(fields)):
                        fault = "quoting"
                    elif stop > end:
                        raw, self.position = text, stop
            if not fault and len(raw) > LARGEST:
                fault = "too large"
            if not fault and self.columns not in (None, len(fields)):
                fault = "columns"
            if b"\0" in raw:
                fault = "NUL"
            elif not is_utf8(raw):
                fault = "not UTF-8"
            yield (None, fault) if fault else (fields, None)

    def quoted(self, start, line_end):
        """The record from start without its line end, and where the next one begins."""
        limit = max(line_end, start + FARTHEST)
        match = self.record.match(self.data, start, limit)
        stop = match.end()
        rest = self.data[stop:stop + 2]
        if rest == b"\r\n":
            return self.data[start:stop], stop + 2
        if rest[:1] == b"\n":
            return without_line_end(self.data[start:stop]), stop + 1
        if not rest or (rest == b"\r" and stop + 1 == len(self.data)):
            return without_line_end(self.data[start:stop]), len(self.data)
        return None


def without_line_end(raw):
    if raw.endswith(b"\n"):
        raw = raw[:-1]
    return raw[:-1] if raw.endswith(b"\r") else raw


def unquoted(field):
    return field[1:-1].replace(b'""', b'"') if field.startswith(b'"') else field


def is_utf8(raw):
    try:
        raw.decode("utf-8")
        return True
    except UnicodeDecodeError:
        return False


# --- What a record must satisfy: each function returns what is wrong, or None --------------------
# An empty value is unknown, and only the id may not be.

STATES = ("AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR "
          "PA RI SC SD TN TX UT VT VA WA WV WI WY").split()


def wrong_acme(r):
    if r["pid"].strip() == "":
        return "id missing"
    if r["state"] and r["state"] not in STATES:
        return "state"
    if r["zip"] and not re.fullmatch("[0-9]{5}", r["zip"]):
        return "zip"
    for interest in ("hiking", "bicycling", "skiing", "sailing", "tennis"):
        if r[interest] not in ("", "Y", "N"):
            return interest
    return None


def wrong_merk(r):
    if r["merk_id"].strip() == "":
        return "id missing"
    for column, least, most in (("age", 0, 120), ("household_count", 1, 20)):
        if r[column]:
            if not re.fullmatch("[+-]?[0-9]{1,18}", r[column]):
                return column + " is no whole number"
            if not least <= int(r[column]) <= most:
                return column + " out of range"
    if r["birthdate"] and not is_date(r["birthdate"]):
        return "birthdate"
    return None


def is_date(text):
    form = r"([0-9]{4}-[0-9]{2}-[0-9]{2})([T ]([0-9]{2}:[0-9]{2}:[0-9]{2})([.][0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
    match = re.fullmatch(form, text)
    if not match:
        return False
    try:
        datetime.date.fromisoformat(match[1])
        if match[3]:
            datetime.time.fromisoformat(match[3])
        return True
    except ValueError:
        return False


# --- The audiences -------------------------------------------------------------------------------

COASTAL = "ME NH MA RI CT NY NJ MD VA NC SC GA FL CA OR WA".split()


def outdoor_families(r):
    return "Y" in (r["hiking"], r["bicycling"]) and r["age_range"] in ("25-34", "35-44", "45-54")


def coastal_sailors(r):
    return r["sailing"] == "Y" and r["state"] in COASTAL


def established_households(r):
    return (r["age"] != "" and 35 <= int(r["age"]) <= 64
            and r["household_count"] != "" and int(r["household_count"]) >= 3
            and r["marital_status"] == "M")


# --- Reading -------------------------------------------------------------------------------------


def read_partner(path, delimiter, id_column, wrong):
    """Return the last accepted record of every id, and the counts."""
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rb") as f:
        splitter = Splitter(f.read(), delimiter)
    header = splitter.header()
    prospects, reasons, read, accepted = {}, Counter(), 0, 0
    for fields, fault in splitter.records():
        read += 1
        if not fault:
            record = dict(zip(header, (f.decode() for f in fields)))
            fault = wrong(record)
        if fault:
            reasons[fault] += 1
            continue
        accepted += 1
        prospects[record[id_column]] = record
    return prospects, {"read": read, "accepted": accepted, "rejected": read - accepted,
                       "rejected_by_reason": dict(sorted(reasons.items())), "prospects": len(prospects)}


def read_export(paths):
    """Return the header that all files share and their rows, or an error text."""
    header, rows = None, []
    for path in paths:
        with open(path, "rb") as f:
            data = f.read()
        if path.endswith(".gz"):
            try:
                data = gzip.decompress(data)
            except (OSError, EOFError) as e:
                return None, None, f"{os.path.basename(path)} cannot be decompressed: {e}"
        try:
            lines = list(csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True))
        except (UnicodeDecodeError, csv.Error) as e:
            return None, None, f"{os.path.basename(path)} cannot be read: {e}"
        if not lines:
            return None, None, f"{os.path.basename(path)} has no header"
        if header not in (None, lines[0]):
            return None, None, f"{os.path.basename(path)} has another header: {lines[0]}"
        header = lines[0]
        rows += lines[1:]
    return header, rows, None


# --- Comparing -----------------------------------------------------------------------------------


class Judge:
    def __init__(self):
        self.failed = False

    def check(self, ok, text, why=""):
        print(f"ok   {text}" if ok else f"FAIL {text}" + (f": {why}" if why else ""))
        self.failed = self.failed or not ok
        return ok

    def files(self, folder, pattern, what):
        paths = sorted(glob.glob(os.path.join(glob.escape(folder), pattern)))
        self.check(paths, f"{what}: files {pattern}", f"none in {folder}")
        return paths

    def same(self, what, got, want):
        """Compare two dicts by id."""
        missing, extra = want.keys() - got.keys(), got.keys() - want.keys()
        changed = [k for k in want.keys() & got.keys() if got[k] != want[k]]
        why = []
        for name, ids in (("missing", missing), ("not expected", extra), ("with other values", changed)):
            if ids:
                why.append(f"{len(ids)} {name}, such as {', '.join(sorted(ids)[:3])}")
        return self.check(not why, f"{what}: {len(want)} members", "; ".join(why))

    def rows(self, what, paths, columns):
        """Rows by id, when the files can be read, have the columns and name every id once."""
        if not paths:
            return None
        header, rows, error = read_export(paths)
        if not self.check(error is None, f"{what}: readable", error):
            return None
        if not self.check(header == columns, f"{what}: header {','.join(columns)}", f"it is {','.join(header)}"):
            return None
        short = sum(len(row) != len(columns) for row in rows)
        if not self.check(not short, f"{what}: every row has {len(columns)} columns", f"{short} have not"):
            return None
        twice = [k for k, n in Counter(row[0] for row in rows).items() if n > 1]
        self.check(not twice, f"{what}: every id once", f"{len(twice)} come again, such as {', '.join(twice[:3])}")
        return {row[0]: row[1:] for row in rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("acme", "merk", "media", "liveramp"):
        parser.add_argument("--" + name, required=True)
    args = parser.parse_args()

    acme, acme_counts = read_partner(args.acme, ",", "pid", wrong_acme)
    merk, merk_counts = read_partner(args.merk, "|", "merk_id", wrong_merk)
    judge, sizes = Judge(), {}

    for audience, rule in (("outdoor-families", outdoor_families), ("coastal-sailors", coastal_sailors)):
        want = {k: [r["state"], r["age_range"]] for k, r in acme.items() if rule(r)}
        sizes[audience] = len(want)
        what = "media-drop " + audience
        paths = judge.files(args.media, f"media-drop_segment{audience}_*.csv.gz", what)
        got = judge.rows(what, paths, ["pid", "state", "age_range"])
        if got is not None:
            judge.same(what, got, want)

    audience = "established-households"
    want = {k: ["active"] for k, r in merk.items() if established_households(r)}
    sizes[audience] = len(want)
    what = "liveramp " + audience
    got = judge.rows(what, judge.files(args.liveramp, "*.csv", what), ["PID", audience])
    if got is not None:
        unknown = sorted({row[0] for row in got.values()} - {"active", "expired", ""})
        judge.check(not unknown, f"{what}: active, expired or empty", f"there is {unknown[:3]}")
        # Who expired was a member once; that cannot be seen here, only that he is none any more.
        judge.same(what, {k: row for k, row in got.items() if row[0] == "active"}, want)

    print(json.dumps({"acme": acme_counts, "merk": merk_counts, "audiences": sizes, "failed": judge.failed}))
    sys.exit(1 if judge.failed else 0)


if __name__ == "__main__":
    main()
