"""Random tables, written by DataFrame.to_csv in every dialect, read by pandas with every option given and by tanda with
none: both must see the same table, or tanda must refuse it for a reason that is listed here.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install pandas zstandard
    /tmp/venv/bin/python tests/files/pandas_tables.py

prints a line for each violation, whose file is kept, and a summary last. `--only N` tries one table again;
`--record FOLDER` writes the sample that tests/files/test_pandas_tables.c reads. tanda is told that text and gaps are wanted
(--categorical auto, --missing mean), and nothing about how the file is written.
"""

import argparse
import csv
import json
import math
import os
import random
import re
import shutil
import string
import subprocess
import sys
import tempfile
import warnings
from collections import Counter

import numpy as np
import pandas as pd

HERE = os.path.dirname(os.path.abspath(__file__))
TANDA = os.path.join(HERE, "..", "..", "build-release", "tanda")
MOST_REFUSED = 0.05

SEPARATORS = [",", ";", "\t", "|", " "]
QUOTINGS = [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC, csv.QUOTE_NONE]
MISSING = ["", "NA", "NaN", "nan", "N/A", "null", "NULL", "None", "<NA>", "#N/A"]
COMPRESSIONS = [None, "gzip", "bz2", "xz", "zstd"]
SUFFIXES = {None: "", "gzip": ".gz", "bz2": ".bz2", "xz": ".xz", "zstd": ".zst"}
WORDS = "red green blue amber north south east west low middle high oak ash elm yes no maybe".split()
TITLES = "size price weight count area depth speed angle volume mass rate share level grade score ratio".split()

# ---- making a table ------------------------------------------------------------------------------------------


def integers(choose, rows):
    low, high = choose.choice([(0, 1), (0, 9), (-1000, 1000), (10000, 99999), (-(10**9), 10**9)])
    return pd.Series([choose.randint(low, high) for _ in range(rows)], dtype="int64")


def large_integers(choose, rows):
    if choose.random() < 0.3:
        return pd.Series([choose.randint(2**63, 2**64 - 1) for _ in range(rows)], dtype="uint64")
    return pd.Series([choose.choice([-1, 1]) * choose.randint(2**53, 2**63 - 1) for _ in range(rows)], dtype="int64")


def floats(choose, rows):
    draw = choose.choice(
        [
            lambda: choose.gauss(0, 1),
            lambda: round(choose.uniform(-100, 100), 1),
            lambda: round(choose.uniform(0, 1000), 2),
            lambda: round(choose.uniform(0, 10), 3),
            lambda: choose.uniform(1, 10) * 10.0 ** choose.randint(-30, 30),
            lambda: float(choose.randint(-50, 50)),
            lambda: choose.randint(-400, 400) / 4,
        ]
    )
    return pd.Series([draw() for _ in range(rows)], dtype="float64")


def dates(choose, rows):
    unit = choose.choice(["D", "h", "min", "s"])
    start = pd.Timestamp(choose.choice(["1999-12-31", "2020-01-01", "2024-02-28 23:59:58"]))
    steps = [choose.randint(0, 40) for _ in range(rows)]
    return pd.Series([start + pd.Timedelta(step, unit=unit) for step in steps], dtype="datetime64[ns]")


def texts(choose, rows, plain, letters):
    words = choose.sample(WORDS, choose.randint(1, 6))
    kind = choose.choice(["word", "word", "words", "code", "odd", "accent"])
    if kind == "words" and not plain:
        words = [f"{word} {choose.choice(WORDS)}" for word in words]
    if kind == "code":
        words = [f"{choose.choice(string.ascii_uppercase)}{choose.randint(1, 99)}-{word}" for word in words]
    if kind == "odd" and not plain:
        odd = [",", ";", "|", "\t", '"', ", ", " and; ", "\n", "\r\n", "#", "'"]
        words = [word + choose.choice(odd) + choose.choice(WORDS) for word in words]
    if kind == "accent" and letters:
        words = [word + choose.choice(letters) for word in words]
    return pd.Series([choose.choice(words) for _ in range(rows)], dtype="str")


def booleans(choose, rows):
    return pd.Series([choose.random() < 0.5 for _ in range(rows)], dtype="bool")


def column(choose, rows, kind, dialect):
    makers = {"integer": integers, "large": large_integers, "float": floats, "date": dates, "boolean": booleans}
    if kind == "empty":
        return pd.Series([None] * rows, dtype="float64")
    if kind == "text":
        return texts(choose, rows, dialect["quoting"] == csv.QUOTE_NONE, dialect["letters"])
    return makers[kind](choose, rows)


def target(choose, rows, dialect):
    while True:
        made = column(choose, rows, choose.choice(["integer", "float", "text", "boolean"]), dialect)
        if made.nunique() > 1:
            return made


def with_gaps(choose, series):
    gaps = [i for i in range(len(series)) if choose.random() < choose.choice([0.05, 0.3])]
    if len(gaps) == len(series):
        gaps = gaps[1:]
    wider = {"int64": "Int64", "bool": "boolean"}
    series = series.astype(wider.get(str(series.dtype), series.dtype))
    series.iloc[gaps] = pd.NA if str(series.dtype) in wider.values() else None
    return series


def titles(choose, count, dialect):
    kind = choose.choice(["word", "word", "word", "numbers", "years", "spaced", "odd", "accent"])
    names = choose.sample(TITLES, count)
    if kind == "numbers":
        return list(range(count))
    if kind == "years":
        return [1990 + i for i in range(count)]
    if kind == "accent" and dialect["letters"]:
        return [name + choose.choice(dialect["letters"]) for name in names]
    if dialect["quoting"] == csv.QUOTE_NONE:
        return names
    if kind == "spaced":
        return [f"{name} {choose.choice(['in cm', 'of all', '(2)'])}" for name in names]
    if kind == "odd":
        return [name + choose.choice([",", ";", '"', "|", ", "]) + "m2" for name in names]
    return names


def choose_dialect(choose):
    dialect = {
        "sep": choose.choice(SEPARATORS),
        "decimal": choose.choice([".", ","]),
        "header": choose.random() < 0.5,
        "index": choose.random() < 0.5,
        "na_rep": "" if choose.random() < 0.3 else choose.choice(MISSING),
        "quoting": choose.choice(QUOTINGS),
        "lineterminator": choose.choice(["\n", "\r\n", "\r"]),
        "encoding": choose.choice(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
        "compression": choose.choice(COMPRESSIONS),
    }
    if dialect["quoting"] == csv.QUOTE_NONE and dialect["sep"] == dialect["decimal"]:
        dialect["quoting"] = csv.QUOTE_MINIMAL
    # letters beyond ASCII; tanda refuses Latin-1, so that few tables have them
    dialect["letters"] = "äéßø" if dialect["encoding"] != "latin-1" else "äé" if choose.random() < 0.1 else ""
    if dialect["encoding"].startswith("utf"):
        dialect["letters"] += "Ω漢"
    return dialect


def make_table(choose):
    dialect = choose_dialect(choose)
    draw = choose.random()
    rows = choose.randint(2, 8) if draw < 0.2 else choose.randint(9, 60) if draw < 0.97 else choose.randint(2000, 6000)
    kinds = choose.choices(["integer", "large", "float", "date", "text", "boolean"], [3, 2, 5, 1, 2, 1], k=choose.randint(1, 7))
    is_bare = dialect["quoting"] in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE) and dialect["na_rep"] == ""
    if choose.random() < 0.02 and not (is_bare and dialect["sep"] == " " and not dialect["header"]):
        kinds.append("empty")  # blanks alone would be a column of nothing at all
    if dialect["quoting"] == csv.QUOTE_NONE and dialect["sep"] == " ":
        kinds = [kind if kind != "date" else "text" for kind in kinds]
    gappy = choose.random() < 0.5
    columns = [column(choose, rows, kind, dialect) for kind in kinds]
    # of beyond 2^63 with missing values, pandas makes text
    columns = [
        with_gaps(choose, made) if gappy and choose.random() < 0.5 and made.dtype != "uint64" else made for made in columns
    ]
    columns.append(target(choose, rows, dialect))
    table = pd.concat(columns, axis=1)
    table.columns = titles(choose, len(columns), dialect)
    if choose.random() < 0.2:
        table.index.name = "id"
    return table, dialect


def write_table(table, dialect, folder, stem):
    path = os.path.join(folder, f"{stem}.csv{SUFFIXES[dialect['compression']]}")
    options = {name: value for name, value in dialect.items() if name != "letters"}
    table.to_csv(path, **options)
    return path


def read_with_pandas(path, dialect):
    options = {name: dialect[name] for name in ("sep", "decimal", "quoting", "encoding", "compression")}
    if dialect["encoding"] == "utf-16" and dialect["compression"] in ("bz2", "xz", "zstd"):
        options["encoding"] = "utf-16-le"  # pandas writes no byte order mark there
    if dialect["lineterminator"] == "\r":
        options["lineterminator"] = "\r"
    options["header"] = 0 if dialect["header"] else None
    return pd.read_csv(path, index_col=False, float_precision="round_trip", **options)


# ---- what pandas says ----------------------------------------------------------------------------------------


def title_of(name, dialect):
    return None if not dialect["header"] else "" if str(name).startswith("Unnamed: ") else str(name)


def describe(series, name, dialect):
    """What is to be found of a column: figures of numbers, of texts how often each is there."""
    present = series.dropna()
    found = {"name": title_of(name, dialect), "missing": int(series.isna().sum()), "distinct": int(present.nunique())}
    booleans = len(present) > 0 and all(isinstance(value, (bool, np.bool_)) for value in present)
    if booleans:
        found["texts"] = dict(Counter(str(value) for value in present))
    if booleans or pd.api.types.is_numeric_dtype(present.dtype):
        found["kind"] = "number"
        if len(present) > 0:
            exact = present.astype("float64") if booleans else present
            found["exact"] = figures(exact.to_numpy())
    else:
        found["kind"] = "text"
        found["texts"] = dict(Counter(str(value) for value in present))
    return found


def figures(values):
    numbers = [float(value) for value in values]
    return {
        "min": min(numbers),
        "max": max(numbers),
        "mean": math.fsum(numbers) / len(numbers),
        "size": math.fsum(map(abs, numbers)) / len(numbers),  # what a mean's error is held against
    }


def what_pandas_says(path, dialect):
    table = read_with_pandas(path, dialect)
    columns = [describe(table.iloc[:, i], table.columns[i], dialect) for i in range(table.shape[1])]
    last = table.iloc[:, -1]
    names = dict(Counter(str(value) for value in last))
    return {"rows": len(table), "columns": columns, "target": names}


# ---- what tanda says -----------------------------------------------------------------------------------------


def compare_number(found, wanted, rows, where):
    """Extremes are equal in binary64, means within 1e-12, or within the roundings of a sum near 0."""
    figures = wanted.get("exact")
    if figures is None:
        return [] if found["missing"] == rows else [f"{where} has no values"]
    if "min" not in found:
        return [f"{where} is of type {found.get('type')}"]
    faults = [f"{where}: {key} {found[key]!r}, not {figures[key]!r}" for key in ("min", "max") if found[key] != figures[key]]
    mean = figures["mean"]
    if abs(found["mean"] - mean) > max(1e-12 * abs(mean), 2.0**-51 * figures["size"]):
        faults.append(f"{where}: mean {found['mean']!r}, not {mean!r}")
    return faults


def compare_profile(found, wanted, where):
    faults = []
    if found["missing"] != wanted["missing"]:
        faults.append(f"{where}: {found['missing']} missing, not {wanted['missing']}")
    if isinstance(found.get("distinct"), int) and found["distinct"] != wanted["distinct"]:
        faults.append(f"{where}: {found['distinct']} distinct, not {wanted['distinct']}")
    return faults


def compare_text(found, wanted, where):
    if found["type"] != "text":
        return [f"{where} is of type {found['type']}"]
    most = max(wanted["texts"].values())
    rows = found.get("most_frequent_rows", most)
    return [f"{where}: the most frequent text is in {rows} rows, not {most}"] if rows != most else []


def compare_columns(columns, wanted, rows):
    if len(columns) != len(wanted):
        return [f"{len(columns)} columns, not {len(wanted)}"]
    faults = []
    for index, (found, expected) in enumerate(zip(columns, wanted)):
        name = expected["name"]
        where = f"column {index}" if name is None else f"column {index} '{name}'"
        if found.get("name") != name:
            faults.append(f"{where} is called {found.get('name')!r}")
        faults += compare_profile(found, expected, where)
        if expected["kind"] == "number":
            faults += compare_number(found, expected, rows, where)
        else:
            faults += compare_text(found, expected, where)
    return faults


def compare_target(found, wanted):
    """Classes by name and number of rows; of a quantity, that it is one."""
    last = wanted["columns"][-1]
    if found["task"] != "classes":
        return [] if last["kind"] == "number" and "texts" not in last else ["the target became a quantity"]
    classes = {entry["name"]: entry["rows"] for entry in found["classes"]}
    if last["kind"] == "number" and "texts" not in last:
        names = {str(int(float(name))): count for name, count in wanted["target"].items()}
    else:
        names = wanted["target"]
    return [] if classes == names else [f"classes {classes}, not {names}"]


def compare(found, wanted):
    if found["rows"] != wanted["rows"]:
        return [f"{found['rows']} rows, not {wanted['rows']}"]
    has_target = "task" in found
    columns = wanted["columns"][: -1 if has_target else None]
    faults = compare_columns(found["columns"], columns, wanted["rows"])
    if has_target:
        faults += compare_target(found, wanted)
        if found.get("target") != wanted["columns"][-1]["name"]:
            faults.append(f"the target is called {found.get('target')!r}")
    return faults


# ---- what may be refused -------------------------------------------------------------------------------------


def is_collapsed(table, dialect):
    """In a run of blanks an empty field is none; the empty name above an index neither."""
    bare = dialect["quoting"] in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE)
    gaps = dialect["na_rep"] == "" and bool(table.isna().any().any())
    return dialect["sep"] == " " and bare and gaps


BETWEEN_WORDS = "blanks between words"
REASONS = [
    ("an empty field between blanks", r"fields?, the first row has|delimiter|above rows|\d: ", is_collapsed),
    ("Latin-1", r"UTF-8", lambda table, dialect: dialect["encoding"] == "latin-1" and dialect["letters"] != ""),
    ("a column without values", r"no value|missing in (every|all)", lambda table, dialect: bool(table.isna().all().any())),
    ("1,234", r"numbers like 1,234|--decimal comma reads it", lambda table, dialect: dialect["decimal"] == ","),
    ("LF in a bare field", r"(LF|CR) inside a field", lambda table, dialect: dialect["lineterminator"] == "\r"),
    (BETWEEN_WORDS, r"no column is left|--delimiter blanks\)", lambda table, dialect: dialect["sep"] == " "),
    ("names or data", r"first row may hold names or data", lambda table, dialect: True),
    ("two delimiters", r"as delimiter fit alike", lambda table, dialect: True),
]


def reason_of(message, table, dialect):
    for name, pattern, applies in REASONS:
        if re.search(pattern, message) and applies(table, dialect):
            return name
    return None


# ---- the run -------------------------------------------------------------------------------------------------


def inspect(tanda, path):
    command = [tanda, "inspect", path, "--json", "--categorical", "auto", "--missing", "mean"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        found = {"error": f"no JSON: {done.stdout[:80]!r} {done.stderr[:80]!r}", "status": done.returncode}
    return done.returncode, found


def is_one_column(found):
    return "task" not in found and found.get("dialect", {}).get("delimiter") not in ("blanks", "single blanks")


def try_table(arguments, number, folder):
    """(reason of a refusal or None, faults, path, table, dialect, what pandas says)"""
    choose = random.Random(f"{arguments.seed}:{number}")
    table, dialect = make_table(choose)
    path = write_table(table, dialect, folder, f"{number:05}")
    wanted = what_pandas_says(path, dialect)
    status, found = inspect(arguments.tanda, path)
    if status == 0 and dialect["sep"] == " " and len(wanted["columns"]) > 1 and is_one_column(found):
        return BETWEEN_WORDS, [], path, table, dialect, wanted  # a training would refuse it
    if status == 0:
        return None, compare(found, wanted), path, table, dialect, wanted
    reason = reason_of(found.get("error", ""), table, dialect) if status == 3 else None
    faults = [] if reason else [f"exit {status}: {found.get('error')}"]
    return reason, faults, path, table, dialect, wanted


def told(dialect):
    return " ".join(f"{key}={value!r}" for key, value in dialect.items() if key != "letters")


def is_recordable(path, dialect, wanted, taken):
    """Small, and of a dialect not yet taken."""
    key = (dialect["sep"], dialect["decimal"], dialect["header"], dialect["index"])
    if wanted["rows"] > 25 or os.path.getsize(path) > 2000 or key in taken:
        return False
    taken.add(key)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--tanda", default=TANDA)
    parser.add_argument("--tables", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="one table again")
    parser.add_argument("--keep", help="folder for the tables at fault (default: a new one)")
    parser.add_argument("--record", help="folder for the sample of the normal tests")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # about float_precision, and about byte order marks
    keep = arguments.keep or tempfile.mkdtemp(prefix="tanda-pandas-")
    os.makedirs(keep, exist_ok=True)
    refused, differences, recorded, taken = Counter(), 0, {}, set()
    numbers = range(arguments.tables) if arguments.only is None else [arguments.only]
    with tempfile.TemporaryDirectory(prefix="tanda-tables-") as folder:
        for number in numbers:
            reason, faults, path, table, dialect, wanted = try_table(arguments, number, folder)
            if reason:
                refused[reason] += 1
            if faults:
                differences += 1
                shutil.copy(path, keep)
                kept = os.path.join(keep, os.path.basename(path))
                print(f"{kept}: {'; '.join(faults)} [{told(dialect)}]", flush=True)
            elif arguments.only is not None:
                shutil.copy(path, keep)
                print(f"{keep}: {reason or 'as pandas'} [{told(dialect)}]")
            if arguments.record and not faults and not reason and is_recordable(path, dialect, wanted, taken):
                os.makedirs(arguments.record, exist_ok=True)
                shutil.copy(path, arguments.record)
                recorded[os.path.basename(path)] = wanted
            os.unlink(path)
    if arguments.record:
        with open(os.path.join(arguments.record, "pandas.json"), "w", encoding="utf-8") as file:
            lines = [f"{json.dumps(name)}: {json.dumps(wanted)}" for name, wanted in recorded.items()]
            file.write("{" + ",\n".join(lines) + "}\n")
    reasons = ", ".join(f"{name} {count}" for name, count in refused.most_common()) or "none"
    total = sum(refused.values())
    print(f"{len(numbers)} tables, {total} refused (reasons: {reasons}), {differences} differences")
    return 1 if differences > 0 or total > MOST_REFUSED * max(len(numbers), 20) else 0


if __name__ == "__main__":
    sys.exit(main())
