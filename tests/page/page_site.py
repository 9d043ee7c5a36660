"""What the tests of the page and its screenshots share."""

import os
import socket

SPEAKS = r'''
import os
def concurrent_instances(): return 2
def call(jobs):
    for job in jobs:
        with job.JobContext():
            os.write(1, b"raw \xff \x1b[31mred\x1b[0m <b>not bold</b>\n")
            if job.args[1] == "bad":
                job.print_error("<script>document.title = 'pwned'</script><img src=x onerror=alert(1)>")
                job.set_status(3)
            else:
                job.print_output("read", job.args[1])
'''

TALKS = r'''
import os, time
def independent_jobs(): return True
def call(jobs):
    for job in jobs:
        with job.JobContext():
            gate = job.args[1]
            open(os.path.join(gate, job.uuid), "w").close()
            os.write(1, b"line 0\n")
            count = 0
            while not os.path.exists(os.path.join(gate, "open")):
                # A line more whenever somebody asks for one.
                asked = len([name for name in os.listdir(gate) if name.startswith("more")])
                while count < asked:
                    count += 1
                    os.write(1, b"line %d\n" % count)
                time.sleep(0.01)
'''


def write_scripts(folder):
    for name, text in (("speaks", SPEAKS), ("talks", TALKS)):
        with open(os.path.join(folder, name + ".py"), "w", encoding="utf-8") as script:
            script.write(text)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
