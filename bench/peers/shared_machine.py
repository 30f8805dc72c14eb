"""The measurements of bench/shared_machine."""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build/release/bin/fastformer"
RECIPE = ROOT / "recipes/ag_news.toml"
TWO_LAYERS = ["model.layers=2", "model.bigram_buckets=0", "model.width=64"]


def run(arguments, folder, enter=None):
    """Seconds of a run of the program."""
    begin = time.monotonic()
    with (folder / "output").open("wb") as output:
        done = subprocess.run([PROGRAM, *arguments], cwd=ROOT, stdout=output,
                              stderr=subprocess.PIPE, preexec_fn=enter)
    seconds = time.monotonic() - begin
    if done.returncode != 0:
        sys.exit(done.stderr.decode())
    return seconds


def training(folder, *assignments):
    def of_threads(threads, enter):
        settings = [*assignments, f"train.threads={threads}", "train.epochs=1", "train.adversarial=0",
                    "train.refit=false", "linear.members=[]", f"data.cache={folder}/cache"]
        number = sum(1 for _ in folder.glob("run*"))
        return run(["train", RECIPE, "--output", folder / f"run{number}",
                    *(word for setting in settings for word in ("--set", setting))], folder, enter)
    return of_threads


class Quota:
    """A control group with a CPU quota of one core, for the processes that enter it."""

    def __init__(self):
        top = pathlib.Path("/sys/fs/cgroup")
        self.version2 = (top / "cgroup.controllers").exists()
        self.folder = (top if self.version2 else top / "cpu") / f"fastformer-{os.getpid()}"
        self.folder.mkdir()
        if self.version2:
            (self.folder / "cpu.max").write_text("100000 100000")
        else:
            (self.folder / "cpu.cfs_quota_us").write_text("100000")

    def enter(self):
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def remove(self):
        self.folder.rmdir()


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        run(["train", RECIPE, "--output", folder / "model_run", "--set", "train.epochs=1",
             "--set", "linear.members=[]", "--set", f"data.cache={folder}/cache"], folder)
        model = folder / "model_run/model"
        texts = folder / "texts.txt"
        lines = (ROOT / "local/ag_news/test.csv").read_text().splitlines()
        texts.write_text("\n".join((lines * 10)[:76_000]) + "\n")
        work = {
            "train recipes/ag_news.toml": training(folder),
            "train two layers of width 64": training(folder, *TWO_LAYERS),
            "predict 76,000 headlines": lambda threads, enter: run(
                ["predict", model, texts, "--threads", str(threads)], folder, enter),
            "evaluate": lambda threads, enter: run(
                ["evaluate", model, ROOT / "local/ag_news/test.csv", "--set",
                 'data.text_columns=["2","3"]', "--threads", str(threads)], folder, enter),
        }
        table = {task: {} for task in work}
        for place in ("quiet", "busy", "quota"):
            other = quota = None
            if place == "busy":
                other = subprocess.Popen(["taskset", "-c", "0", "sh", "-c", "while :; do :; done"])
            if place == "quota":
                try:
                    quota = Quota()
                except OSError as error:
                    print(f"no CPU quota: {error}", file=sys.stderr)
                    continue
            try:
                for _ in range(rounds):
                    for task, measure in work.items():
                        for threads in (1, 2) if place != "quota" else (1, 0):
                            seconds = measure(threads, quota and quota.enter)
                            table[task].setdefault((place, threads), []).append(seconds)
            finally:
                if other:
                    other.kill()
                    other.wait()
                if quota:
                    quota.remove()
        columns = [("quiet", 1), ("quiet", 2), ("busy", 1), ("busy", 2), ("quota", 1), ("quota", 0)]
        print("| | " + " | ".join(f"{place}, {threads or 'default'}" for place, threads in columns)
              + " | busy 2 / busy 1 |\n|" + "---|" * (len(columns) + 2))
        for task, cells in table.items():
            medians = {key: statistics.median(values) for key, values in cells.items()}
            row = [f"{medians[key]:.2f}" if key in medians else "" for key in columns]
            ratio = medians["busy", 2] / medians["busy", 1]
            print(f"| {task} | " + " | ".join(row) + f" | {ratio:.2f} |")


main()
