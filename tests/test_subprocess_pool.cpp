// With real hosts and real processes: quire-host and quire_host.py of this build.
#include "worker/subprocess_pool.hpp"

#include <sys/stat.h>

#include <fstream>
#include <set>
#include <thread>

#include <doctest/doctest.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "tests/support/temporary_folder.hpp"

namespace quire {

namespace {

// A pool whose loop turns on this thread while the batches run on others.
class Site {
 public:
  Site() {
    settings.max_processes = 4;
    settings.host_start_limit = 60;
  }

  Module program(const std::string& name, const std::string& text) {
    const std::string path = write(name, "#!/bin/sh\n" + text);
    ::chmod(path.c_str(), 0755);
    return {.name = name, .kind = ModuleKind::program, .path = path, .import_name = ""};
  }
  Module python(const std::string& name, const std::string& text) {
    return {.name = name, .kind = ModuleKind::python, .path = write(name + ".py", text), .import_name = name};
  }

  struct Batch {
    Module module;
    std::vector<Task> tasks;
  };

  // Runs the batches at once, each called by a thread of its own.
  void run(std::vector<Batch>& batches) {
    boost::asio::io_context loop;
    auto work = boost::asio::make_work_guard(loop);
    SubprocessPool pool(
        loop, settings,
        [this](const std::string&, const std::string&, const std::string& text) { outside += text; });
    std::thread waiting([&] {
      std::vector<std::thread> threads;
      for (Batch& batch : batches) {
        threads.emplace_back([&] {
          std::vector<Task*> tasks;
          for (Task& task : batch.tasks) tasks.push_back(&task);
          pool.run(batch.module, batch.module.name, "H:test:1", tasks);
        });
      }
      for (std::thread& thread : threads) thread.join();
      loop.stop();
    });
    loop.run();
    waiting.join();
  }
  std::vector<Task> run(const Module& module, std::vector<Task> tasks) {
    std::vector<Batch> batches;
    batches.push_back({module, std::move(tasks)});
    run(batches);
    return std::move(batches.front().tasks);
  }

  Settings settings;
  std::string outside;  // what was printed while no job's scope was open
  const test::TemporaryFolder folder;

 private:
  std::string write(const std::string& name, const std::string& text) {
    const std::string path = folder.path() / name;
    std::ofstream(path) << text;
    return path;
  }
};

std::vector<Task> make_tasks(std::size_t count, const std::string& word = "") {
  std::vector<Task> tasks(count);
  for (std::size_t i = 0; i < count; ++i) {
    tasks[i].id = "task-" + std::to_string(i);
    tasks[i].words = {word.empty() ? std::to_string(i) : word};
  }
  return tasks;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("subprocess pool: programs") {
  Site site;
  SUBCASE("a program's arguments, output, errors and status are its job's, also when none of it is text") {
    const Module module =
        site.program("echo", "printf \"out $1 \\377\\000x\"; echo \"err $1\" >&2; exit $1\n");
    const std::vector<Task> tasks = site.run(module, make_tasks(3));
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      REQUIRE(tasks[i].result);
      CHECK(tasks[i].result->exit_code == static_cast<std::int64_t>(i));
      CHECK(tasks[i].result->output == "out " + std::to_string(i) + std::string(" \377\0x", 4));
      CHECK(tasks[i].result->error == "err " + std::to_string(i) + "\n");
    }
  }
  SUBCASE("one that is killed fails its own job only, and the signal is named") {
    const Module module = site.program("kill", "[ $1 != 1 ] || kill -9 $$\n");
    const std::vector<Task> tasks = site.run(module, make_tasks(3));
    CHECK(tasks[0].result->exit_code == 0);
    CHECK(tasks[1].result->exit_code == 128 + 9);
    CHECK(contains(tasks[1].result->error, "signal 9 (Killed)"));
    CHECK(tasks[2].result->exit_code == 0);
  }
}

TEST_CASE("subprocess pool: the characters of scripts are UTF-8 where nobody says so") {
  Site site;
  site.settings.pass_environment = "PATH";
  SUBCASE("") {}
  SUBCASE("and what somebody says counts") { site.settings.environment["LC_CTYPE"] = "C"; }
  const Module module = site.program("language", "echo $LANG $LC_CTYPE\n");
  std::vector<Site::Batch> batches{{module, make_tasks(1, "")}};
  site.run(batches);
  const bool is_said = !site.settings.environment.empty();
  CHECK(batches[0].tasks[0].result->output == (is_said ? "C\n" : "C.UTF-8\n"));
}

TEST_CASE("subprocess pool: Python modules") {
  Site site;
  SUBCASE("each subset starts from the module as it was loaded") {
    const Module module = site.python("count", R"(
seen = []
def concurrent_instances(): return 3
def call(jobs):
    for job in jobs:
        with job.JobContext():
            seen.append(job.args[1])
            job.pyprint(*seen)
)");
    const std::vector<Task> tasks = site.run(module, make_tasks(7));
    // Seven jobs over three processes: two, two, three, in order.
    CHECK(tasks[1].result->output == "0 1\n");
    CHECK(tasks[3].result->output == "2 3\n");
    CHECK(tasks[6].result->output == "4 5 6\n");
  }
  SUBCASE("what is printed belongs to the job whose scope is open, and to the batch where none is") {
    const Module module = site.python("loud", R"(
import os, subprocess
def call(jobs):
    print("before")
    for job in jobs:
        with job.JobContext():
            print("print", job.args[1])
            subprocess.run(["echo", "echo", job.args[1]])
            os.write(2, b"error " + job.args[1].encode() + b"\n")
        os.write(1, b"between\n")
)");
    const std::vector<Task> tasks = site.run(module, make_tasks(2));
    CHECK(tasks[0].result->process_output == "print 0\necho 0\n");
    CHECK(tasks[1].result->process_output == "print 1\necho 1\n");
    CHECK(tasks[1].result->process_error == "error 1\n");
    CHECK(tasks[1].result->output == "");
    CHECK(site.outside == "before\nbetween\nbetween\n");
  }
  SUBCASE("a process that dies fails its whole subset, with what it printed last, and no other") {
    const Module module = site.python("die", R"(
import os, sys
def concurrent_instances(): return 2
def call(jobs):
    for job in jobs:
        with job.JobContext():
            job.print_output("worked on")
            if job.args[1] == "1":
                print("last words", file=sys.stderr, flush=True)
                os._exit(0)
)");
    const std::vector<Task> tasks = site.run(module, make_tasks(6));
    CHECK(tasks[0].result->exit_code == 1);
    CHECK(tasks[0].result->output == "worked on\n");
    CHECK(contains(tasks[0].result->error, "exited with code 0 before its script was done"));
    CHECK(contains(tasks[1].result->error, "last words"));
    CHECK(tasks[1].result->process_error == "last words\n");
    CHECK(tasks[2].result->exit_code == 1);
    for (std::size_t i = 3; i < 6; ++i) CHECK(tasks[i].result->exit_code == 0);
  }
  SUBCASE("with independent jobs only the one that the process died with fails, and the rest is run") {
    const Module module = site.python("alone", R"(
import os
def independent_jobs(): return True
def call(jobs):
    for job in jobs:
        with job.JobContext():
            job.print_output("process", os.getpid())
            if job.args[1] in ("1", "3"):
                os.kill(os.getpid(), 11)
)");
    const std::vector<Task> tasks = site.run(module, make_tasks(5));
    for (const std::size_t i : {0U, 2U, 4U}) CHECK(tasks[i].result->exit_code == 0);
    for (const std::size_t i : {1U, 3U}) {
      CHECK(tasks[i].result->exit_code == 128 + 11);
      CHECK(contains(tasks[i].result->error, "signal 11"));
    }
    CHECK(tasks[2].result->output != tasks[4].result->output);
  }
  SUBCASE("a module that cannot be loaded fails its tasks with the reason, and works once it is mended") {
    const Module module = site.python("broken", "import no_such_thing\n");
    std::vector<Task> tasks = site.run(module, make_tasks(2));
    CHECK(tasks[1].result->exit_code == 1);
    CHECK(contains(tasks[1].result->error, "no_such_thing"));
  }
  SUBCASE("a module that must not be forked is loaded anew for each subset") {
    const Module module = site.python("fresh", R"(
import os
loaded_by = os.getpid()
def fresh_process(): return True
def concurrent_instances(): return 3
def call(jobs):
    for job in jobs:
        job.print_output(loaded_by == os.getpid(), os.getpid())
)");
    const std::vector<Task> tasks = site.run(module, make_tasks(3));
    std::set<std::string> processes;
    for (const Task& task : tasks) {
      CHECK(task.result->exit_code == 0);
      CHECK(contains(task.result->output, "True"));
      processes.insert(task.result->output);
    }
    CHECK(processes.size() == 3);
  }
  SUBCASE("a script without concurrent_instances never runs twice at once, whatever its batches") {
    const Module module = site.python("exclusive", R"(
import fcntl
def call(jobs):
    with open(jobs[0].args[1], "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for job in jobs: job.set_status(0)
)");
    const std::string lock = site.folder.path() / "lock";
    std::vector<Site::Batch> batches;
    for (int i = 0; i < 8; ++i) batches.push_back({module, make_tasks(3, lock)});
    site.run(batches);
    for (const Site::Batch& batch : batches) {
      for (const Task& task : batch.tasks) CHECK(task.result->exit_code == 0);
    }
  }
}

TEST_CASE("subprocess pool: budget") {
  Site site;
  site.settings.max_processes = 2;
  // A batch that has no process while another has several may have one beyond the budget: here is no such.
  std::size_t batch_count = 0;
  SUBCASE("one batch alone") {
    batch_count = 1;
    site.settings.functions["busy"].concurrent_instances = 8;
  }
  SUBCASE("batches of one process each") {
    batch_count = 3;
    site.settings.functions["busy"].concurrent_instances = 1;
  }
  // Each job makes itself known while it runs, and counts who else does.
  const Module module = site.program("busy", "cd \"$1\" && touch $$ && ls | wc -l && rm $$\n");
  const std::string running = site.folder.path() / "running";
  std::filesystem::create_directory(running);
  std::vector<Site::Batch> batches;
  for (std::size_t i = 0; i < batch_count; ++i) batches.push_back({module, make_tasks(8, running)});
  site.run(batches);
  for (const Site::Batch& batch : batches) {
    for (const Task& task : batch.tasks) {
      REQUIRE(task.result->exit_code == 0);
      CHECK(std::stoi(task.result->output) <= 2);
    }
  }
}

}  // namespace quire
