// What client scripts count by themselves, with prometheus_client: Archivematica's transfers, SIPs, AIPs,
// DIPs.
//
// A script counts in the process of its subset, which ends with it, so its host reports how far the numbers
// have moved, a sample at a time, as fields with a zero byte between them:
//
//   counter  family  help  name  value  label  its value  label  its value ...
//
// When it has loaded the script, it tells of all that is counted, so that it is there from the start; of a
// family without samples the first three fields.
//
// Scripts are not trusted to be right: what Prometheus could not read is left out. Nothing here throws.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace quire {

// Any thread.
class ScriptMetrics {
 public:
  // Adds to the numbers of a counter, histogram or summary, and replaces a gauge's. False when the sample is
  // left out: it is not one, contradicts the family's type, or there are too many.
  bool add(std::string_view sample) noexcept;

  // Has the family and the sample there, as 0 where nothing has been counted yet. False as with add().
  bool know(std::string_view sample) noexcept;

  // Appends the families to the text. One that is in there already stays as it is: those are the worker's
  // own.
  void append_exposition(std::string& text) const;

 private:
  bool take(std::string_view sample, bool counts);

  struct Sample {
    std::string text;  // name and labels, as they are exposed
    double value = 0;
  };
  struct Family {
    std::string type;
    std::string help;
    std::vector<Sample> samples;  // in the order of arrival, which is that of a histogram's buckets
    std::map<std::string, std::size_t, std::less<>> places;
  };

  mutable std::mutex mutex_;
  std::map<std::string, Family, std::less<>> families_;
  std::size_t count_ = 0;  // of all samples
};

}  // namespace quire
