#include "worker/no_record.hpp"

#include <doctest/doctest.h>

#include "tests/support/batches.hpp"

using namespace quire;
using namespace quire::test;

TEST_CASE("no record: what has ended is run once more when it is delivered again") {
  NoRecord record;
  for (int delivery = 0; delivery < 3; ++delivery) {
    Batch batch = make_batch("a", 2);
    const TaskRecord::Begun begun = record.begin(batch, batch.unanswered());
    CHECK(begun.to_run.size() == 2);
    CHECK(begun.elsewhere.empty());
    CHECK(batch.unanswered().size() == 2);
    answer(batch, 0);
    record.finished(batch);
    record.delivered(batch.handle, batch.unique, true);
  }
}
