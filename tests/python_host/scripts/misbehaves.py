"""Each job does what its first argument says; the others of the subset say that they are fine."""

import ctypes
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import time


def independent_jobs():
    return True


def concurrent_instances():
    return 8


def call(jobs):
    if jobs[0].args[1] == "without scopes":
        return without_scopes(jobs)
    if jobs[0].args[1] == "raise after":
        with jobs[0].JobContext():
            jobs[0].print_output("done")
        jobs[0].print_output("and more")
        jobs[1].print_output("not in a scope")
        raise RuntimeError("the transaction cannot be committed")
    if jobs[0].args[1] == "catch the exit":
        return catch_the_exit(jobs)
    for job in jobs:
        with job.JobContext():
            globals()[job.args[1].replace(" ", "_")](job)
        if job.args[1] == "print between":
            print("between", flush=False)
            print("between, stderr", file=sys.stderr)


def fine(job):
    print("captured of", job.uuid)
    job.print_output("fine")


def without_scopes(jobs):
    for job in jobs:
        job.print_output("no scope", job.uuid)
        job.set_status(3)
    jobs.clear()


def catch_the_exit(jobs):
    for job in jobs:
        try:
            with job.JobContext():
                sys.exit(2)
        except SystemExit:
            job.print_output("went on")


def print_between(job):
    job.print_output("own")


def exit_code(job):
    job.print_output("before the exit")
    code = job.args[2]
    sys.exit(None if code == "None" else int(code) if code.lstrip("-").isdigit() else code)


def os_exit(job):
    os._exit(0)


def interrupt(job):
    raise KeyboardInterrupt


def segfault(job):
    ctypes.string_at(0)


def stdio(job):
    ctypes.CDLL(None).puts(b"from C")


def print_then_kill(job):
    print("about to be killed")
    os.kill(os.getpid(), signal.SIGKILL)


def wait(job):
    print("waiting")
    signal.pause()


def wait_for_term(job):
    got = []  # an Event's lock may be held already where its handler interrupts the wait
    signal.signal(signal.SIGTERM, lambda number, frame: got.append(number))
    print("waiting")
    while not got:
        time.sleep(0.005)
    job.print_output("got it")


def close_streams(job):
    os.close(1)
    os.close(2)
    sys.stdout.close()
    job.print_output("closed")


def redirect(job):
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    print("to the void")


def replace_stdout(job):
    sys.stdout = None
    job.pyprint("own", file=sys.stdout)


def close_everything(job):
    os.closerange(3, 4096)


def file_size_limit(job):
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
    job.write_output("o" * 100000)


def half_a_line(job):
    print("half a line", end="")


def lines_in_turn(job):
    print("one")
    subprocess.run(["/bin/echo", "two"], check=True)
    print("three")


def invalid_bytes(job):
    job.write_output("\0 \udcff \u20ac \ud800 end")
    job.write_error("\0 \udcfe end")
    sys.stdout.write("\0 \udcfd\n")
    sys.stdout.buffer.write(b"\xfc\n")


def much(job):
    job.write_output("o" * 2**20)
    for _ in range(2**15):
        job.write_error("e" * 32)
    sys.stdout.write("p" * 2**20)
    sys.stderr.write("q" * 2**20)


def bad_str(job):
    class Unprintable(Exception):
        def __str__(self):
            raise RuntimeError("no text")

    raise Unprintable()


def own_logging(job):
    log = logging.getLogger("own")
    log.propagate = False
    log.setLevel(logging.DEBUG)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("own: %(message)s"))
    log.addHandler(handler)
    with job.JobContext(logger=log):
        log.debug("debug")
        log.info("info")
    log.info("after the scope")
    assert log.handlers == [handler]


def thread_left(job):
    running = threading.Event()

    def forever():
        running.set()
        threading.Event().wait()

    threading.Thread(target=forever).start()
    running.wait()
    job.print_output("started")


def grandchild(job):
    """A daemon's way: forked twice, holding the pipes, but of the same process group."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        if os.fork() == 0:
            os.write(writing, str(os.getpid()).encode())
            while True:
                signal.pause()
        os._exit(0)
    os.wait()
    job.print_output(os.read(reading, 32).decode())


def forked_child_returns(job):
    """The child forgets to end itself and falls out of call()."""
    pid = os.fork()
    if pid == 0:
        job.print_output("written by the child")
        job.set_status(9)
        return
    os.waitpid(pid, 0)
    job.print_output("written by the parent")


def sleep_child(job):
    child = subprocess.Popen(["/bin/sleep", "1000"])
    print("waiting", child.pid)
    signal.pause()


def nested(job):
    print("outer")
    with job.JobContext():
        print("inner")
    print("outer again")


def nonblocking(job):
    os.set_blocking(1, False)
    written = 0
    try:
        while True:
            written += os.write(1, b"n" * 65536)
    except BlockingIOError:
        os.write(2, b"full")
        job.print_output(written)


def descriptors(job):
    folder = os.open("/proc/self/fd", os.O_RDONLY)
    job.print_output(*sorted(int(name) for name in os.listdir(folder)))
    os.close(folder)
    job.print_output(os.readlink("/proc/self/fd/0"), os.getpgid(0) == os.getpid(), sys.argv)
    listing = subprocess.run(["/bin/ls", "/proc/self/fd"], stdout=subprocess.PIPE, close_fds=False)
    job.print_output(listing.stdout.split())


def odd_values(job):
    job.int_code = None if job.args[2] == "None" else "text" if job.args[2] == "text" else 2**70
