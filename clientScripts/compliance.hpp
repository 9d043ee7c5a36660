// What verify_sip_compliance and verify_transfer_compliance have in common: the shape that a unit must have.
#pragma once

#include <cstdint>
#include <string>

#include <quire/client_script.hpp>

namespace quire {

// Looks whether the folders objects, logs, metadata and metadata/submissionDocumentation are there and
// nothing else but processingMCP.xml is at the top. Tells every problem on the job's stderr, a line each, and
// returns how many there are. Throws FileError when the unit cannot be listed.
std::int64_t verify_compliance(Job& job, const std::string& unit);

}  // namespace quire
