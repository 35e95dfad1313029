"""Whether runs of tanda lab agree with one another: saved by --json-file, on one machine, of the same devices.

    for i in 1 2 3 4 5; do build-release/tanda lab --quick --json-file $i.json; done
    python3 bench/lab_agreement.py 1.json 2.json 3.json 4.json 5.json

Verdicts that are told have to be the same in all runs; how many are withheld stands beside. The tie that t0 + n / r
predicts has to lie within 25 % of the measured one, both as medians of the runs. Exit code 1 where either is not so.
"""
import json
import statistics
import sys

TOLD = {"faster", "slower", "tie"}
MOST_ERROR = 0.25


def verdicts_of(run):
    return {entry["run_name"]: entry["verdict"] for entry in run["benchmarks"] if "verdict" in entry}


def disagreements(runs):
    """Rows whose verdicts differ where they are told; and how many verdicts there are, told and in all."""
    found = [verdicts_of(run) for run in runs]
    names = sorted(set().union(*found))
    told = {name: [run[name] for run in found if run.get(name) in TOLD] for name in names}
    wrong = {name: words for name, words in told.items() if len(set(words)) > 1}
    return wrong, sum(map(len, told.values())), sum(map(len, found))


def crossings(runs):
    """(series and device, predicted, measured), medians of the runs in which more than half have it; else None."""
    places = {}
    for run in runs:
        for entry in run["context"]["crossings"]:
            name = (f"width {entry['width']}" if entry["width"] else "rows") + ", " + entry["device"]
            row = places.setdefault(name, {"predicted": [], "measured": []})
            for kind, values in row.items():
                if kind in entry:
                    values.append(entry[kind]["median"])
    for name, row in places.items():
        yield name, *(statistics.median(values) if 2 * len(values) > len(runs) else None for values in row.values())


def main():
    runs = [json.load(open(path, encoding="utf-8")) for path in sys.argv[1:]]
    if len(runs) < 2:
        raise SystemExit(__doc__)
    wrong, told, all_verdicts = disagreements(runs)
    print(f"{len(runs)} runs, {min(run['context']['seconds'] for run in runs):.0f} to "
          f"{max(run['context']['seconds'] for run in runs):.0f} s")
    print(f"verdicts: {told} told of {all_verdicts}; rows that disagree: {len(wrong)}")
    for name, words in wrong.items():
        print(f"  {name}: {', '.join(words)}")
    far = 0
    for name, predicted, measured in crossings(runs):
        if predicted is None or measured is None:
            print(f"tie of {name}: predicted {predicted and round(predicted)}, measured {measured and round(measured)}")
            continue
        error = predicted / measured - 1.0
        far += abs(error) > MOST_ERROR
        print(f"tie of {name}: predicted {predicted:.0f}, measured {measured:.0f}, {error:+.0%}")
    return 1 if wrong or far else 0


if __name__ == "__main__":
    sys.exit(main())
