// determine_aip_version — the version of the preservation system that made an AIP, as its METS file tells it.
// The status is 0 whatever the version.
//
//   arg 1   the SIP's UUID
//   arg 2   the unit's folder; the file is data/METS.UUID.xml in it
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include <quire/client_script.hpp>

#include "file_system.hpp"

namespace {

using Document = std::unique_ptr<xmlDoc, void (*)(xmlDoc*)>;

std::string_view view(const xmlChar* text) { return reinterpret_cast<const char*>(text); }

bool is_mets(const xmlNode* node, std::string_view name) {
  return node->type == XML_ELEMENT_NODE && view(node->name) == name && node->ns != nullptr &&
         view(node->ns->href) == "http://www.loc.gov/METS/";
}

// The next node in document order, or null.
const xmlNode* next(const xmlNode* node) {
  if (node->type == XML_ELEMENT_NODE && node->children != nullptr) return node->children;
  while (node != nullptr && node->next == nullptr) node = node->parent;
  return node == nullptr ? nullptr : node->next;
}

// The text of the first child with the name, up to the first thing in it that is not text.
std::optional<std::string> child_text(const xmlNode* parent, std::string_view name) {
  for (const xmlNode* child = parent->children; child != nullptr; child = child->next) {
    if (!is_mets(child, name)) continue;
    std::string text;
    for (const xmlNode* part = child->children; part != nullptr; part = part->next) {
      if (part->type != XML_TEXT_NODE && part->type != XML_CDATA_SECTION_NODE) break;
      text += view(part->content);
    }
    return text;
  }
  return std::nullopt;
}

// Throws std::runtime_error where the file is not well-formed XML. A file that it wants to include is not
// read: what an AIP names has no business in our answer.
Document read_document(const std::string& path) {
  xmlSetExternalEntityLoader(
      [](const char*, const char*, xmlParserCtxt*) -> xmlParserInput* { return nullptr; });
  const std::unique_ptr<xmlParserCtxt, void (*)(xmlParserCtxt*)> parser(xmlNewParserCtxt(),
                                                                        &xmlFreeParserCtxt);
  if (!parser) throw std::bad_alloc();
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file) throw quire::FileError(errno, "cannot read", path);
  const int options = XML_PARSE_NOENT | XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
  Document document(xmlCtxtReadFd(parser.get(), ::fileno(file.get()), path.c_str(), nullptr, options),
                    &xmlFreeDoc);
  if (document) return document;
  const xmlError* error = xmlCtxtGetLastError(parser.get());
  std::string reason = error == nullptr || error->message == nullptr ? "it cannot be read" : error->message;
  while (reason.ends_with('\n') || reason.ends_with('.')) reason.pop_back();
  throw std::runtime_error("cannot read " + path + " as XML: " + reason + ".");
}

// None where no agent is a preservation system, or the first that is has no value.
std::optional<std::string> find_version(const xmlDoc& document) {
  for (const xmlNode* node = document.children; node != nullptr; node = next(node)) {
    if (is_mets(node, "agentIdentifier") && child_text(node, "agentIdentifierType") == "preservation system")
      return child_text(node, "agentIdentifierValue");
  }
  return std::nullopt;
}

void determine_version(quire::Job& job) {
  const std::string path = quire::join(job.arg(2), "data/METS." + job.arg(1) + ".xml");
  if (!quire::is_file(path)) {
    job.print_error("Mets file not found: ", path);
    return;
  }
  job.print_output("Version found in METSt:", find_version(*read_document(path)).value_or("None"));
}

}  // namespace

void call(quire::Jobs jobs) { quire::for_each_job(jobs, determine_version); }

int concurrent_instances() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

bool independent_jobs() { return true; }
