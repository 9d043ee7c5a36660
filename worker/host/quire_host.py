#!/usr/bin/python3
"""quire_host.py: loads one client script written in Python and forks a process for every subset.

    PYTHON quire_host.py [--path DIR:DIR...] IMPORT_NAME [FILE]

Started by the worker only, with the control socket of host_protocol.hpp on descriptor 3. The folders of
--path go before Python's own. With FILE the script is that file, loaded as IMPORT_NAME; without, or when
IMPORT_NAME has dots, it is what `import IMPORT_NAME` finds.

A subset starts from the state in which the script was just after loading, whatever other subsets did to it.
Its process ends when call() has returned, as multiprocessing's children do: functions registered with atexit
are not run, and threads that are still at work are not waited for.

This is one file, although long, because it is started by its path with whatever interpreter the site's
scripts need, Python 3.8 or later, and finds nothing of ours there: only the standard library.
"""

import datetime
import faulthandler
import functools
import gc
import importlib
import importlib.machinery
import importlib.util
import io
import logging
import os
import resource
import select
import signal
import socket
import stat
import struct
import sys
import threading
import time
import traceback
from fcntl import F_DUPFD_CLOEXEC, fcntl

try:
    import ctypes

    C_LIBRARY = ctypes.CDLL(None)
except (ImportError, OSError):  # an interpreter built without it
    C_LIBRARY = None

# ---- the job: what a client script sees --------------------------------------------------------------------


class Job:
    """One unit of work and what became of it; its members are those of Archivematica's Job class.

    Text is appended to lists of pieces and joined when somebody looks, so that many small writes stay cheap.
    """

    def __init__(self, name, uuid, arguments, capture_output=False):
        self.name = name
        self.uuid = uuid
        self.args = [name] + arguments
        self.capture_output = capture_output
        self.int_code = 0
        self.status_code = ""
        self.start_time = None
        self.end_time = None
        self._output = []
        self._error = []
        self._reporter = None  # is told when the job's scope opens and closes; none in a script's own tests
        self._index = 0
        self._reported = None  # the exit code it was reported with
        self._changed = False  # its texts, since it was reported

    def set_status(self, int_code, status_code="success"):
        """Stores only a code that is not zero: 0 never clears an earlier failure."""
        if int_code:
            self.int_code = int(int_code)
        self.status_code = status_code

    def write_output(self, s):
        self._output.append(checked_text(s))
        self._changed = True

    def write_error(self, s):
        self._error.append(checked_text(s))
        self._changed = True

    def print_output(self, *args):
        self.write_output(" ".join([str(x) for x in args]) + "\n")

    def print_error(self, *args):
        self.write_error(" ".join([str(x) for x in args]) + "\n")

    def pyprint(self, *objects, **kwargs):
        """Like print(); file is what sys.stdout or sys.stderr is now, and nothing else."""
        file = kwargs.get("file", sys.stdout)
        sep = kwargs.get("sep")
        end = kwargs.get("end")
        text = (" " if sep is None else sep).join([str(x) for x in objects]) + ("\n" if end is None else end)
        if file is sys.stdout:
            self.write_output(text)
        elif file is sys.stderr:
            self.write_error(text)
        else:
            raise ValueError("pyprint: the file must be sys.stdout or sys.stderr, not " + str(file))

    def JobContext(self, logger=None):
        """The scope in which the job is worked on, for a with statement.

        An Exception that escapes it is written to the job's stderr and sets status 1, and the next job goes
        on. With a logger, its records of INFO and above go to the job's output, those of ERROR and above to
        its stderr instead.
        """
        return JobScope(self, logger)

    @property
    def UUID(self):
        return self.uuid

    @property
    def output(self):
        return joined(self._output)

    @output.setter
    def output(self, text):
        self._output[:] = [checked_text(text)]
        self._changed = True

    @property
    def error(self):
        return joined(self._error)

    @error.setter
    def error(self, text):
        self._error[:] = [checked_text(text)]
        self._changed = True

    def get_exit_code(self):
        return self.int_code

    def get_stdout(self):
        return self.output

    def get_stderr(self):
        return self.error

    def dump(self):
        head = f"#<{self.name}; exit={self.int_code}; code={self.status_code} uuid={self.uuid}"
        return f"{head}\n{self.output}\n{self.error}\n>"

    def log_results(self):
        logger = logging.getLogger("quire.job")
        logger.disabled = False  # as a configuration of the script's leaves it
        logger.info("%s", self.dump())


class JobScope:
    """What JobContext() gives."""

    def __init__(self, job, logger):
        self._job = job
        self._logger = logger
        self._handler = None

    def __enter__(self):
        if self._logger is not None:
            self._handler = JobLogHandler(self._job)
            self.attach()
            open_scopes.append(self)
        if self._job._reporter is not None:
            self._job._reporter.begun(self._job)

    def __exit__(self, kind, error, trace):
        job = self._job
        if self._handler is not None:
            open_scopes.remove(self)
            self._logger.removeHandler(self._handler)
        # SystemExit and the like are not for us: the process is about to end in the middle of this job.
        going_on = error is None or isinstance(error, Exception)
        if error is not None and going_on:
            job.write_error(described(error) + "\n" + "".join(traceback.format_exception(kind, error, trace)))
            job.set_status(1, status_code="error")
        if job._reporter is not None:
            job._reporter.ended(job, going_on)
        return going_on

    def attach(self):
        """Has the logger write to the job, whatever a configuration that knew nothing of the job has made of it."""
        self._logger.disabled = False
        self._logger.addHandler(self._handler)


open_scopes = []  # those with a logger


class JobLogHandler(logging.Handler):
    """Writes log records to a job, each at once: what is held back is lost when the process dies."""

    def __init__(self, job):
        super().__init__(logging.INFO)
        self._job = job

    def emit(self, record):
        try:
            text = self.format(record) + "\n"
            if record.levelno >= logging.ERROR:
                self._job.write_error(text)
            else:
                self._job.write_output(text)
        except Exception:
            self.handleError(record)


class LoggingConfigFinder:
    """Has open scopes keep their loggers when a script configures logging while it works on a job.

    A configuration takes a logger's handlers away, and disables the loggers that it does not name: Django's
    and most others do. The module is not imported here, since few scripts need it and it takes 8 ms.
    """

    def find_spec(self, name, path=None, target=None):
        if name != "logging.config":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            module.dictConfig = keeping_scopes(module.dictConfig)
            module.fileConfig = keeping_scopes(module.fileConfig)

        spec.loader.exec_module = exec_module
        return spec


def keeping_scopes(configure):
    @functools.wraps(configure)
    def configured(*arguments, **named):
        try:
            return configure(*arguments, **named)
        finally:
            for scope in open_scopes:
                scope.attach()

    return configured


def checked_text(text):
    # Told at the script's own line, not when the pieces are joined.
    if not isinstance(text, str):
        raise TypeError("a job's text must be str, not " + type(text).__name__)
    return text


def joined(pieces):
    count = len(pieces)
    if count != 1:
        # A thread may append meanwhile: what it appends stays behind the pieces that are joined here.
        pieces[:count] = ["".join(pieces[:count])]
    return pieces[0]


class FallbackFinder:
    """Offers our Job where scripts import Archivematica's, which most do for type hints only.

    The last finder that Python asks, so that a real module on the path wins.
    """

    modules = ("client.job", "archivematica.MCPClient.client.job", "worker.client.job")
    packages = ("client", "archivematica", "archivematica.MCPClient", "archivematica.MCPClient.client",
                "worker", "worker.client")  # fmt: skip

    def find_spec(self, name, path=None, target=None):
        if name not in self.modules and name not in self.packages:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=name in self.packages)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        if module.__name__ in self.modules:
            module.Job = Job


# ---- the ledger: where a subset reports --------------------------------------------------------------------

NO_JOB = 0xFFFFFFFF
NOT_TO_BEGIN = b"\x02"
CANNOT_REPORT = 74
U32 = struct.Struct("<I")
ENDED = struct.Struct("<IBIqqI")  # frame length, 'E', job, exit code, microseconds, length of the output
PARTLY = struct.Struct("<IBII")  # frame length, 'P', job, length of the output
MAX_CODE = 2**63 - 1


class Reporter:
    """Writes what becomes of the jobs to the ledger, and the markers that keep captured text apart.

    The markers go to descriptors of our own, since a script may close or redirect 1 and 2.
    """

    def __init__(self, ledger, output, error):
        self._ledger = ledger
        self._captured = (output, error)
        self._scopes = []  # the jobs whose scopes are open, the innermost last
        self._broken_off = None  # the job whose scope something like SystemExit has left
        self._silent = False
        self._nonce, self.limits, self.jobs, self._places = read_head(ledger)
        now = datetime.datetime.now(datetime.timezone.utc)
        for index, job in enumerate(self.jobs):
            job._index = index
            job._reporter = self
            job.start_time = now
        # A process that the script forks has a copy of the jobs; its report would contradict ours.
        os.register_at_fork(after_in_child=self._fall_silent)

    def begun(self, job):
        if self._silent:
            return
        self._broken_off = None
        self._scopes.append(job)
        self._mark(job._index)
        # The marker tells the worker with which job the process has ended.
        if os.pread(self._ledger, 1, self._places[job._index]) == NOT_TO_BEGIN:
            os._exit(CANNOT_REPORT)

    def ended(self, job, going_on):
        """The scope has closed. Where the process is about to end, its last marker tells in which job."""
        if self._silent:
            return
        # Scopes that threads have opened need not close in reverse order.
        for place in reversed(range(len(self._scopes))):
            if self._scopes[place] is job:
                del self._scopes[place]
                break
        if not going_on:
            self._broken_off = job
            return
        self._broken_off = None
        self._mark(self._scopes[-1]._index if self._scopes else NO_JOB)
        self._append(self._frame(job))

    def returned(self):
        """call() has returned. Not every script opens scopes, and some go back to a job that was reported."""
        if self._silent:
            return
        flush_output()
        frames = [self._frame(job) for job in self.jobs if is_news(job)]
        frames.append(U32.pack(1) + b"R")
        self._append(b"".join(frames))

    def escaped(self, text):
        """An exception left call(). A job that had not ended has no result, but what it wrote is not lost."""
        if self._silent:
            return
        flush_output()
        for job in self.jobs:
            if job._reported is not None:
                if is_news(job):
                    self._append(self._frame(job))
            elif job._changed:
                self._mark(job._index)
                for descriptor, written in zip(self._captured, (job.output, job.error)):
                    write_captured(descriptor, encoded(written))
        self._mark(NO_JOB if self._broken_off is None else self._broken_off._index)
        data = encoded(text)
        self._append(U32.pack(1 + 4 + len(data)) + b"X" + U32.pack(len(data)) + data)

    def save_texts_when_asked_to_end(self):
        """What jobs have written so far would be gone with the process.

        A script that handles TERM itself is left alone. The process then ends as it would have without this; one
        that does not come back from C code is ended with KILL.
        """

        def save(number, frame):
            signal.signal(number, signal.SIG_DFL)
            try:
                if not self._silent:
                    self._append(b"".join([partly(job) for job in self.jobs if job._reported is None and job._changed]))
            except Exception:  # the process ends in any case
                pass
            os.kill(os.getpid(), number)

        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, save)

    def counted(self, samples):
        """What the script has counted; called last, when nothing depends on it any more."""
        if self._silent:
            return
        frames = []
        for sample in samples:
            data = encoded(sample)
            frames.append(U32.pack(1 + 4 + len(data)) + b"M" + U32.pack(len(data)) + data)
        if frames:
            self._append(b"".join(frames))

    def _fall_silent(self):
        self._silent = True

    def _mark(self, index):
        flush_output()
        marker = self._nonce + U32.pack(index)
        for descriptor in self._captured:
            write_captured(descriptor, marker)

    def _frame(self, job):
        code = exit_code(job)
        job._changed = False
        job._reported = code
        output, missing = bounded(encoded(job.output), self.limits.output)
        error, _ = bounded(encoded(job.error), self.limits.output)
        if missing:
            error += b"\n" if error and not error.endswith(b"\n") else b""
            error += (
                f"What was written to stdout passed output_limit ({self.limits.output // 1024} KiB): "
                f"{missing} bytes are missing in its middle.\n"
            ).encode()
        length = ENDED.size + len(output) + len(error)  # without its own four bytes, with those of len(error)
        head = ENDED.pack(length, ord("E"), job._index, code, time.time_ns() // 1000, len(output))
        return b"".join((head, output, U32.pack(len(error)), error))

    def _append(self, frames):
        written = 0
        try:
            written = os.write(self._ledger, frames)
            while written < len(frames):
                written += os.write(self._ledger, memoryview(frames)[written:])
        except OSError:
            # Half a frame would hide what is written after it.
            os.ftruncate(self._ledger, os.lseek(self._ledger, -written, os.SEEK_END))
            raise


def partly(job):
    """The frame of a job that has not ended: the worker keeps to the limits of its texts."""
    output, error = encoded(job.output), encoded(job.error)
    length = PARTLY.size + len(output) + len(error)  # without its own four bytes, with those of len(error)
    return b"".join((PARTLY.pack(length, ord("P"), job._index, len(output)), output, U32.pack(len(error)), error))


class Limits:
    """What the process of a subset imposes upon itself; 0: no limit."""

    SIZES = struct.Struct("<QIQ")

    def __init__(self, memory=0, open_files=0, output=0):
        self.memory = memory  # bytes of address space, of each process
        self.open_files = open_files
        self.output = output  # bytes of each text of a job

    def impose(self):
        """Hard limits too, so that the script cannot raise them."""
        for which, limit in ((resource.RLIMIT_AS, self.memory), (resource.RLIMIT_NOFILE, self.open_files)):
            if limit:
                try:
                    resource.setrlimit(which, (limit, limit))
                except (OSError, ValueError):  # the limit of this process is below it already
                    pass


SLACK = 128  # to leave out less than the line that tells of it takes would be of no use


def bounded(data, limit):
    """The bytes of a text, and how many were left out: of one beyond the limit head and tail are kept."""
    if not limit or len(data) <= limit + SLACK:
        return data, 0
    head = data[: limit - limit // 2]
    tail = data[len(data) - limit // 2 :]
    # No character is cut in two.
    lead = next((i for i in range(1, 5) if i <= len(head) and head[-i] & 0xC0 != 0x80), 0)
    if lead and head[-lead] >= 0xC0 and lead < (4 if head[-lead] >= 0xF0 else 3 if head[-lead] >= 0xE0 else 2):
        head = head[:-lead]
    broken = 0
    while broken < min(3, len(tail)) and tail[broken] & 0xC0 == 0x80:
        broken += 1
    tail = tail[broken:]
    missing = len(data) - len(head) - len(tail)
    line = f"[quire: {missing} bytes are missing here: output_limit is {limit // 1024} KiB]\n".encode()
    return head + (b"" if head.endswith(b"\n") else b"\n") + line + tail, missing


def read_head(ledger):
    """The nonce, the limits, the jobs that the worker has written, and the places of the jobs' first bytes.

    The descriptor then stands at the end.
    """
    size = os.lseek(ledger, 0, os.SEEK_END)
    data = b""
    while len(data) < size:
        data += os.pread(ledger, size - len(data), len(data))

    def text(at):
        end = at + 4 + U32.unpack_from(data, at)[0]
        return data[at + 4 : end].decode("utf-8", "surrogateescape"), end

    if data[4:5] != b"C":
        raise ValueError("The ledger does not begin with a call.")
    nonce = data[5:21]
    limits = Limits(*Limits.SIZES.unpack_from(data, 21))
    function, at = text(21 + Limits.SIZES.size)
    (count,) = U32.unpack_from(data, at)
    at += 4
    jobs = []
    places = []
    for _ in range(count):
        if data[at + 4 : at + 5] != b"J":
            raise ValueError("The ledger has something else where a job should be.")
        places.append(at + 5)
        capture_output = data[at + 5] != 0
        uuid, at = text(at + 6)
        (words,) = U32.unpack_from(data, at)
        at += 4
        arguments = []
        for _ in range(words):
            word, at = text(at)
            arguments.append(word)
        jobs.append(Job(function, uuid, arguments, capture_output))
    return nonce, limits, jobs, places


def exit_code(job):
    """The job's code as a number that the ledger can hold; a script may have assigned anything."""
    try:
        return max(-MAX_CODE, min(MAX_CODE, int(job.int_code or 0)))
    except (TypeError, ValueError, OverflowError):
        return 1


def is_news(job):
    return job._changed or job._reported != exit_code(job)


def encoded(text):
    """The bytes of a text: those that could not be decoded come out as they went in."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def write_captured(descriptor, data):
    """Blocks until the worker has room. A pipe that has gone is not the job's fault."""
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:
            # A program that the script started has made the pipe, which it shares with us, non-blocking.
            room = select.poll()
            room.register(descriptor, select.POLLOUT)
            room.poll()
        except OSError:
            return


def flush_output():
    """Hands on what was printed and is still in buffers, C's included."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        try:
            stream.flush()
        except Exception:  # closed, or replaced by something else: the script's own affair
            pass
    if C_LIBRARY is not None:
        C_LIBRARY.fflush(None)


# ---- the subset: a process that runs call() ----------------------------------------------------------------

FIRST_PRIVATE_DESCRIPTOR = 200  # out of the way of a script that closes or counts the low ones
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def become_subset(call, descriptors, parent):
    """Runs call() in this process and ends it."""
    code = 1
    try:
        code = run_subset(call, descriptors, parent)
        close_database_connections()  # the server would tell of one that is left without a word
        flush_output()
    except BaseException:
        # The worker sees that call() has not returned; why not can only be told on the captured stderr.
        os.write(2, encoded(traceback.format_exc()))
    finally:
        os._exit(code)


def run_subset(call, descriptors, parent):
    lead_group()
    set_process_attribute(PR_SET_PDEATHSIG, int(signal.SIGKILL))
    # What descendants leave behind comes to this process, and with its end to the host, which ends it.
    set_process_attribute(PR_SET_CHILD_SUBREAPER, 1)
    if os.getppid() != parent:
        return 1  # it went before the line above
    signal.pthread_sigmask(signal.SIG_SETMASK, ())

    ledger, output, error = descriptors
    null = os.open(os.devnull, os.O_RDWR)
    for source, target in ((null, 0), (output, 1), (error, 2)):
        os.dup2(source, target)
    os.close(null)
    reporter = Reporter(*[move_away(descriptor) for descriptor in (ledger, output, error)])
    reporter.limits.impose()
    reporter.save_texts_when_asked_to_end()
    code = 0
    try:
        call(list(reporter.jobs))
    except SystemExit as end:
        code = escape(reporter, f"The script ended its process with {end!r}.", end, code_of(end))
    except KeyboardInterrupt as end:
        code = escape(reporter, "The script was interrupted.", end, 128 + signal.SIGINT)
    except BaseException as problem:
        code = escape(reporter, f"The script raised {type(problem).__name__} out of call().", problem, 1)
    else:
        reporter.returned()
    try:
        reporter.counted(counters.moved())
    except Exception:  # a metric can fail no task
        pass
    return code


class Counters:
    """What scripts count with prometheus_client, whose numbers would be gone with the process of a subset.

    Only counters, gauges, histograms and summaries: what else is registered tells of the process.
    """

    def __init__(self):
        self._before = {}

    def remember(self):
        """The script is loaded: how far the numbers have moved is told from here on."""
        self._before = {key: samples for key, _, samples in self._all()}

    def declared(self):
        """Samples of all that is counted, as 0; of a family whose labels have no values yet that it is there."""
        told = []
        for head, groups in self._families():
            samples = [sample for group in groups.values() for sample in group]
            told += ["\0".join([*head, name, "0.0", *labels]) for name, labels in samples] or ["\0".join(head)]
        return told

    def moved(self):
        """Samples as script_metrics.hpp has them: all those of a set of labels of which one has moved."""
        told = []
        for key, head, samples in self._all():
            before = self._before.get(key, {})
            if samples == before:
                continue
            for (name, labels), value in samples.items():
                if head[0] != "gauge":
                    past = before.get((name, labels), 0)
                    value -= past if past <= value else 0  # a process of its own may have begun at 0
                told.append("\0".join([*head, name, repr(float(value)), *labels]))
        return told

    def _all(self):
        """For each family and set of labels: (key, (type, family, help), {(name, labels): value})"""
        for head, groups in self._families():
            for group, samples in groups.items():
                yield (head[1], group), head, samples

    def _families(self):
        """((type, family, help), {set of labels: {(name, labels): value}})"""
        library = sys.modules.get("prometheus_client")
        if library is None:
            return
        own = library.metrics.MetricWrapperBase
        for collector in list(library.REGISTRY._collector_to_names):
            if not isinstance(collector, own):
                continue
            for metric in collector.collect():
                if metric.type not in ("counter", "gauge", "histogram", "summary"):
                    continue
                family = metric.name + ("_total" if metric.type == "counter" else "")
                groups = {}
                for name, labels, value in (sample[:3] for sample in metric.samples):
                    if name == metric.name + "_created":
                        continue
                    words = tuple(str(word).replace("\0", "") for pair in labels.items() for word in pair)
                    group = tuple(pair for pair in labels.items() if pair[0] != "le")
                    groups.setdefault(group, {})[name, words] = value
                yield (metric.type, family, metric.documentation.replace("\0", "")), groups


counters = Counters()


def set_process_attribute(which, value):
    if C_LIBRARY is not None:
        C_LIBRARY.prctl(which, value, 0, 0, 0)


def escape(reporter, sentence, error, code):
    reporter.escaped(sentence + "\n" + script_traceback(error))
    return code


def lead_group():
    try:
        os.setpgid(0, 0)
    except OSError:  # it leads a session, and so a group, already
        pass


def move_away(descriptor):
    try:
        moved = fcntl(descriptor, F_DUPFD_CLOEXEC, FIRST_PRIVATE_DESCRIPTOR)
    except OSError:  # a low limit of open files leaves no room up there
        moved = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
    os.close(descriptor)
    return moved


def code_of(end):
    """The exit status that Python gives a process that ends with this SystemExit."""
    if end.code is None:
        return 0
    return end.code & 0xFF if isinstance(end.code, int) else 1


# ---- the host: loads the script, forks, reaps --------------------------------------------------------------

CONTROL_DESCRIPTOR = 3
HELD_DESCRIPTOR = 4
INTERFACE = 1
MAX_TEXT = 60000  # of bytes, so that a message stays below a packet's 64 KiB
MAX_INSTANCES = 2**31
SECONDS_TO_LEAVE = 5
INT = struct.Struct("i")  # a descriptor in an ancillary message


class Host:
    """Does nothing but fork, reap and pass on signals, so that it answers at once whatever its subsets do."""

    def __init__(self, call, control):
        self._call = call
        self._control = control
        self._subsets = {}  # number → process id, and its process group's
        self._parent = os.getppid()
        # Our own handler, whatever the script has set while it was loaded; its subsets get theirs back.
        self._woken, self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        self._script_handler = signal.signal(signal.SIGCHLD, lambda number, frame: None)
        # Subsets that lose their parent come to us instead of to init, so that we can end them. What the script
        # has started while it was loaded is none.
        set_process_attribute(PR_SET_CHILD_SUBREAPER, 1)
        self._of_the_script = set(children())

    def serve(self):
        """Serves until the worker closes the control socket."""
        waiting = select.poll()
        waiting.register(self._control, select.POLLIN)
        waiting.register(self._woken, select.POLLIN)
        worker_is_there = True
        while worker_is_there:
            ready = dict(waiting.poll())
            if self._woken in ready:
                os.read(self._woken, 4096)
                self._reap()
            if self._control.fileno() in ready:
                worker_is_there = self._receive()
        for pid in self._subsets.values():
            signal_group(pid, signal.SIGKILL)
        for pid in self._subsets.values():
            reap(pid)
        self._subsets.clear()
        self._end_strays()

    def _receive(self):
        """Takes one message; False when the worker has gone."""
        try:
            room = socket.CMSG_SPACE(8 * INT.size)
            packet, ancillary, _, _ = self._control.recvmsg(65536, room, socket.MSG_CMSG_CLOEXEC)
        except OSError:
            return False
        descriptors = []
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                whole = data[: len(data) // INT.size * INT.size]
                descriptors += [number for (number,) in INT.iter_unpack(whole)]
        words = packet.decode("ascii", "replace").split(" ")
        numbers = [int(word) for word in words[1:] if word.isdecimal()]
        if words[0] in ("call", "run") and len(numbers) == 1:
            self._start(numbers[0], descriptors, here=words[0] == "run")
        elif words[0] == "signal" and len(numbers) == 2 and numbers[0] in self._subsets:
            signal_group(self._subsets[numbers[0]], numbers[1])
        return bool(packet)

    def _start(self, subset, descriptors, here):
        if len(descriptors) != 3:
            close_all(descriptors)
            return self._send(f"refused {subset} the descriptors of the subset did not come with it")
        flush_output()  # or the subset would write it once more
        if here:
            lead_group()
            self._send(f"started {subset} {os.getpid()}")
            self._become_subset(descriptors, self._parent)
        host = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            close_all(descriptors)
            return self._send(f"refused {subset} {error.strerror}")
        if pid == 0:
            self._become_subset(descriptors, host)
        close_all(descriptors)
        try:
            os.setpgid(pid, pid)  # both do it, so that the group is there whoever comes first
        except OSError:
            pass
        self._subsets[subset] = pid
        self._send(f"started {subset} {pid}")

    def _become_subset(self, descriptors, parent):
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, self._script_handler or signal.SIG_DFL)
            self._control.close()
            close_all((self._woken, self._wake))
        finally:
            become_subset(self._call, descriptors, parent)

    def _reap(self):
        """Tells of every subset that has ended."""
        for subset, pid in list(self._subsets.items()):
            if not has_ended(pid):
                continue
            # While its leader is not reaped, the number of the group cannot become another's.
            signal_group(pid, signal.SIGKILL)
            status = reap(pid)
            del self._subsets[subset]
            self._end_strays()
            if os.WIFSIGNALED(status):
                self._send(f"ended {subset} signalled {os.WTERMSIG(status)}")
            else:
                self._send(f"ended {subset} exited {os.WEXITSTATUS(status)}")

    def _end_strays(self):
        """Ends the children that are not subsets.

        A subset adopts what its descendants leave behind as long as it lives, so they come to us when it has
        ended, and nothing that belongs to a living subset is among them. All are killed before one is waited
        for: among them may be some that fork without end.
        """
        while True:
            strays = set(children()).difference(self._subsets.values(), self._of_the_script)
            if not strays:
                return
            for pid in strays:
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    pass
            for pid in strays:
                reap(pid)

    def _send(self, message):
        try:
            self._control.send(message.encode())
        except OSError:  # the worker has gone: the next message that we wait for is the end
            pass


def children():
    """The process ids of this process's children."""
    try:
        with open("/proc/thread-self/children", encoding="ascii") as text:
            return [int(pid) for pid in text.read().split()]
    except OSError:
        return []


def has_ended(pid):
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def reap(pid):
    try:
        return os.waitpid(pid, 0)[1]
    except ChildProcessError:  # a thread that the script started while it was loaded has reaped our child
        return 255 << 8


def signal_group(pid, number):
    try:
        os.killpg(pid, number)
    except OSError:  # nobody is there to get it, or it is no signal
        pass


def close_all(descriptors):
    for descriptor in descriptors:
        os.close(descriptor)


class CannotLoad(Exception):
    """The script cannot be used; the text says why, and where in the script."""

    def __init__(self, sentence, error=None):
        super().__init__(sentence if error is None else sentence + "\n" + script_traceback(error))


def load(name, file):
    """The script as a module."""
    try:
        if file is None:
            refuse_what_everybody_may_write(name)
            return importlib.import_module(name)
        loader = importlib.machinery.SourceFileLoader(name, file)
        spec = importlib.util.spec_from_file_location(name, file, loader=loader)
        module = importlib.util.module_from_spec(spec)
        # A script may have the name of a module that is in use, such as copy.
        sys.modules.setdefault(name, module)
        loader.exec_module(module)
        return module
    except CannotLoad:
        raise
    except SyntaxError as error:
        where = f"{error.filename}, line {error.lineno}"
        raise CannotLoad(f"{name} cannot be loaded: {where}: {error.msg}.", error)
    except SystemExit as end:
        raise CannotLoad(f"{name} ended its process with {end!r} while it was loaded.", end)
    except BaseException as error:
        raise CannotLoad(f"{name} cannot be loaded: {type(error).__name__}: {described(error)}", error)


def refuse_what_everybody_may_write(name, user=None):
    """Root does not run what anybody may have changed. A script with a file has been looked at by the worker."""
    if (os.geteuid() if user is None else user) != 0:
        return
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.has_location:
        return
    for path in (spec.origin, os.path.dirname(spec.origin)):
        if os.stat(path).st_mode & stat.S_IWOTH:
            raise CannotLoad(
                f"{path} may be written by everybody, so root does not run what is there: chmod o-w {path},"
                " or run the worker as another user (setting user)."
            )


def describe(module, name, sockets):
    """The message that tells the worker what the script says about itself, and what is seen of it.

    sockets: those that were open before it was loaded.
    """
    if not callable(getattr(module, "call", None)):
        raise CannotLoad(f"{name} ({getattr(module, '__file__', 'a folder')}) has no function call(jobs).")
    instances = answer(module, name, "concurrent_instances", 0)
    if hasattr(module, "concurrent_instances") and (type(instances) is not int or instances < 1):
        raise CannotLoad(f"{name}: concurrent_instances() gave {instances!r}, and must give at least 1.")
    independent = bool(answer(module, name, "independent_jobs", False))
    fresh = bool(answer(module, name, "fresh_process", False))
    # What was asked of the database until now has left a connection, which would be dead after idle hours.
    close_database_connections()
    # A script that says itself how it may be run knows best.
    reason = "" if hasattr(module, "fresh_process") else unsafe_to_fork(sockets)
    return (
        f"ready interface={INTERFACE} concurrent_instances={min(instances, MAX_INSTANCES)}"
        f" independent={independent:d} fresh={fresh or bool(reason):d}{reason and ' '}{reason}"
    )


def close_database_connections():
    """Closes what Django holds open in this process, which opens connections anew when it needs them.

    Two processes that speak on one connection garble it, so none may be open when a subset is forked.
    """
    database = sys.modules.get("django.db")
    try:
        if database is not None:
            database.connections.close_all()
    except Exception:  # without settings, say, there are no connections; an open socket is found afterwards
        pass


def unsafe_to_fork(sockets):
    """What would not be sound in a fork of this process, as the end of "because"; empty: nothing is known.

    A fork has no threads but its own, and locks that others held stay locked in it. What several processes
    send over one connection is mixed; datagrams, such as those for syslog, are not.
    """
    threads = running_threads()
    if threads:
        names = [repr(thread.name) for thread in threading.enumerate() if thread is not threading.main_thread()]
        named = f" ({', '.join(names)})" if names else ""
        return shorter(f"{threads} thread{'s' * (threads > 1)}{named} ran when it had been loaded")
    held = [text for inode, text in open_sockets().items() if inode not in sockets]
    if held:
        return shorter(f"it had a socket open ({', '.join(held)}) when it had been loaded")
    return ""


def shorter(text):
    return text if len(text) <= 300 else text[:300] + "..."


def running_threads():
    """How many threads there are beside the first, those of C libraries included."""
    patience = time.monotonic() + 0.05  # one that has been joined may need a moment to be gone
    while True:
        known = threading.active_count() - 1
        try:
            count = len(os.listdir("/proc/self/task")) - 1
        except OSError:
            return known
        if count <= known or time.monotonic() > patience:
            return count
        time.sleep(0.001)


def open_sockets():
    """{inode: what it is} of this process's sockets that are streams."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink("/proc/self/fd/" + name)
            if not target.startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(name))) as one:
                if one.type != socket.SOCK_DGRAM:
                    found[target] = f"descriptor {name}{peer_of(one)}"
        except OSError:  # closed meanwhile: the descriptor with which the folder was read
            continue
    return found


def peer_of(one):
    try:
        peer = one.getpeername()
    except OSError:
        return ""
    if isinstance(peer, tuple):
        return f" to {peer[0]}:{peer[1]}"
    return f" to {peer!r}" if peer else ""


def answer(module, name, function, default):
    if not hasattr(module, function):
        return default
    try:
        return getattr(module, function)()
    except BaseException as error:
        raise CannotLoad(f"{name}: {function}() failed: {type(error).__name__}: {described(error)}", error)


def described(error):
    try:
        return str(error)
    except Exception:
        return f"<{type(error).__name__} that cannot be told as text>"


def script_traceback(error):
    """The traceback from the first line that is not ours or the importer's."""
    ours = (load.__code__.co_filename, importlib.__file__)
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file not in ours and not file.startswith("<frozen importlib"):
            break
        trace = trace.tb_next
    # How a process came to exit is told by its last frames, not by what argparse, say, handled before.
    chain = not isinstance(error, SystemExit)
    return "".join(traceback.format_exception(type(error), error, trace, chain=chain)).rstrip("\n")


def shortened(text):
    """Leaves out the middle of a text that is too long for a message."""
    data = encoded(text)
    if len(data) > MAX_TEXT:
        data = data[: MAX_TEXT // 2] + b"\n...\n" + data[-MAX_TEXT // 2 :]
    return data


def prepare_streams():
    """Makes sys.stdout and sys.stderr fit for any bytes, and for the pipes that will take their place.

    The objects stay the same for good, since scripts and their log handlers keep them. A line is handed on at
    once: it comes before what a program prints that the script starts next, and survives a crash.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape", line_buffering=True)


def prepare_path(folders, file):
    # Python has put our own folder first; nothing there is for scripts.
    if sys.path and os.path.realpath(sys.path[0]) == os.path.dirname(os.path.realpath(__file__)):
        del sys.path[0]
    if file:
        folders = folders + [os.path.dirname(os.path.abspath(file))]
    sys.path[:0] = folders
    sys.meta_path.append(FallbackFinder())
    sys.meta_path.insert(0, LoggingConfigFinder())


def main(words):
    folders = []
    if len(words) > 2 and words[0] == "--path":
        folders = [folder for folder in words[1].split(os.pathsep) if folder]
        words = words[2:]
    try:
        name = words[0]
        control = socket.socket(fileno=CONTROL_DESCRIPTOR)
    except (IndexError, OSError):
        print("quire_host.py is started by quire: [--path DIR:DIR...] IMPORT_NAME [FILE]", file=sys.stderr)
        sys.exit(64)
    file = words[1] if len(words) > 1 and "." not in name else None
    control.set_inheritable(False)  # for programs that the script starts while it is loaded
    try:
        os.set_inheritable(HELD_DESCRIPTOR, False)  # held and not touched
    except OSError:  # the worker gave none
        pass
    faulthandler.enable(file=2)  # where in the script a crash happened; descriptor 2, whatever it is by then
    prepare_streams()
    prepare_path(folders, file)
    sys.argv = [file or name]  # argparse tells it as the program's name
    sockets = open_sockets()
    try:
        module = load(name, file)
        gc.collect()  # a socket that nobody can reach any more is not held against the script
        ready = describe(module, name, sockets)
    except CannotLoad as error:
        control.send(b"failed " + shortened(str(error)))
        flush_output()
        os._exit(1)
    # What is loaded by now is never garbage; not looking at it again keeps its pages shared with the subsets.
    gc.freeze()
    try:
        counters.remember()
        declared = counters.declared()
    except Exception:  # another library by that name: a metric can fail no script
        pass
        declared = []
    host = Host(module.call, control)
    # From here on the end of the worker is seen on the control socket, and the subsets are ended in good order.
    set_process_attribute(PR_SET_PDEATHSIG, 0)
    for sample in declared:
        if len(encoded(sample)) <= MAX_TEXT:
            control.send(b"metric " + encoded(sample))
    control.send(ready.encode())
    host.serve()
    # What the script registered with atexit while it was loaded may run now, but not for ever.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(SECONDS_TO_LEAVE)


if __name__ == "__main__":
    main(sys.argv[1:])
