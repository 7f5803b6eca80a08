"""Counts operations for the warm-up and then for the measured time, and prints what the harness reads."""
import json
import os
import resource
import time


def cpu_now():
    use = resource.getrusage(resource.RUSAGE_SELF)
    return int((use.ru_utime + use.ru_stime) * 1e9)


class Meter:
    def __init__(self):
        self.warm_up = int(os.environ.get('BENCH_WARM_UP', '400')) * 1_000_000
        self.duration = int(os.environ.get('BENCH_DURATION', '300')) * 1_000_000
        self.operations = 0
        self.begun = time.perf_counter_ns()
        self.wall = None

    def add(self, operations):
        """True once the measured time is over and the result is printed."""
        self.operations += operations
        now = time.perf_counter_ns()
        if self.wall is None:
            if now - self.begun >= self.warm_up:
                self.first = self.operations
                self.cpu = cpu_now()
                self.wall = time.perf_counter_ns()
            return False
        if now - self.wall < self.duration:
            return False
        print(json.dumps({
            'operations': self.operations - self.first,
            'wall': now - self.wall,
            'cpu': cpu_now() - self.cpu,
        }), flush=True)
        return True
