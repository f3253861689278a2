"""Processes that do timed work, one at a time."""

import os
import resource
import signal
import statistics
import subprocess
import tempfile
import time

REPETITIONS = 5  # of every measurement, alternating with those that it is compared with


class Absent(Exception):
    """What a figure needs is not there."""


class Partner:
    """A process that answers every line with a number. Between its answers it is stopped, so that no idle thread of its spins."""

    def __init__(self, *command, environment=None):
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
                                        env={**os.environ, **(environment or {})})
        self.stopped = False

    def ask(self, line):
        if self.stopped:
            self.process.send_signal(signal.SIGCONT)
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended, and why is in what it wrote
        answer = self.process.stdout.readline()
        if not answer:
            self.process.wait()
            self.errors.seek(0)
            said = [text for text in self.errors.read().splitlines() if text.strip()]
            raise Absent(said[-1] if said else f"{self.process.args[0]} ended")
        self.process.send_signal(signal.SIGSTOP)
        self.stopped = True
        return float(answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
        self.errors.close()


def alternate(*measurements):
    """The median of each of some functions' results, called in turn: A B C A B C ..."""
    results = [[measure() for measure in measurements] for _ in range(REPETITIONS)]
    return [statistics.median(column) for column in zip(*results)]


class Others:
    """What the rest of the machine did meanwhile, for a measurement beside other work is none."""

    def __init__(self):
        self.start, self.busy, self.own = time.monotonic(), self.all_seconds(), self.own_seconds()

    @staticmethod
    def all_seconds():
        with open("/proc/stat", encoding="ascii") as file:
            user, nice, system, _, _, *interrupts = map(int, file.readline().split()[1:9])
        return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")  # what the host took away is among the last

    @staticmethod
    def own_seconds():
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(u.ru_utime + u.ru_stime for u in used)

    def share(self):
        """Of all cores, from the start to now; to be asked when all partners have ended."""
        others = self.all_seconds() - self.busy - (self.own_seconds() - self.own)
        return max(0.0, others / (time.monotonic() - self.start) / os.cpu_count())


class Run:
    """A command that ran to its end: seconds of wall and of processor, most MiB that it held, what it printed."""

    def __init__(self, *command):
        with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as errors:
            start = time.monotonic()
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=printed, stderr=errors)
            _, status, used = os.wait4(process.pid, 0)
            self.seconds = time.monotonic() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            self.processor = used.ru_utime + used.ru_stime
            self.peak = used.ru_maxrss / 1024
            printed.seek(0)
            errors.seek(0)
            self.printed = printed.read()
            if process.returncode:
                raise Absent(f"{command[0]}: {errors.read().strip()}")
