#include "worker/tasks_in_hand.hpp"

#include <thread>

#include <doctest/doctest.h>

namespace quire {

namespace {

Batch batch_of(const std::vector<std::string>& ids) {
  Batch batch;
  for (const std::string& id : ids) {
    Task task;
    task.id = id;
    batch.tasks.push_back(task);
  }
  return batch;
}

void answer(Batch& batch, std::size_t task, const std::string& output) {
  batch.tasks[task].result.emplace().output = output;
}

}  // namespace

TEST_CASE("tasks in hand") {
  TasksInHand in_hand;
  Batch first = batch_of({"a", "b"});
  Batch second = batch_of({"b", "c"});

  SUBCASE("a task is one batch's until it is released, and that batch may claim it again") {
    CHECK(in_hand.claim(first.unanswered()).size() == 2);
    CHECK(in_hand.claim(first.unanswered()).size() == 2);
    const std::vector<Task*> claimed = in_hand.claim(second.unanswered());
    REQUIRE(claimed.size() == 1);
    CHECK(claimed[0]->id == "c");
    in_hand.release(first);
    CHECK(in_hand.claim(second.unanswered()).size() == 2);
  }
  SUBCASE("who waits gets the result that the task has when it is released") {
    in_hand.claim(first.unanswered());
    in_hand.claim(second.unanswered());
    std::thread waiting([&] { CHECK(in_hand.wait_for({&second.tasks[0]})); });
    answer(first, 1, "of the first");
    in_hand.release(first);
    waiting.join();
    // It may have been released before anybody waited: then there is nothing to wait for.
    if (second.tasks[0].result) {
      CHECK(second.tasks[0].result->output == "of the first");
      CHECK(second.tasks[0].result->on_record);
    }
  }
  SUBCASE("two batches that wait for each other both come to their end") {
    Batch other = batch_of({"b", "a"});
    // Each has one of the two.
    REQUIRE(in_hand.claim({&first.tasks[0]}).size() == 1);
    REQUIRE(in_hand.claim({&other.tasks[0]}).size() == 1);
    answer(first, 0, "a of the first");
    answer(other, 0, "b of the other");
    in_hand.publish(first);
    in_hand.publish(other);
    std::thread one([&] { CHECK(in_hand.wait_for({&first.tasks[1]})); });
    std::thread two([&] { CHECK(in_hand.wait_for({&other.tasks[1]})); });
    one.join();
    two.join();
    REQUIRE(first.tasks[1].result);
    REQUIRE(other.tasks[1].result);
    CHECK(first.tasks[1].result->output == "b of the other");
    CHECK(other.tasks[1].result->output == "a of the first");
  }
  SUBCASE("one that is released without a result may be claimed by who waited") {
    in_hand.claim(first.unanswered());
    std::thread waiting([&] { CHECK(in_hand.wait_for({&second.tasks[0]})); });
    in_hand.release(first);
    waiting.join();
    CHECK(!second.tasks[0].result);
    CHECK(in_hand.claim(second.unanswered()).size() == 2);
  }
  SUBCASE("an interruption ends all waiting") {
    in_hand.claim(first.unanswered());
    std::thread waiting([&] { CHECK_FALSE(in_hand.wait_for({&second.tasks[0]})); });
    in_hand.interrupt();
    waiting.join();
    in_hand.release(first);
  }
}

}  // namespace quire
