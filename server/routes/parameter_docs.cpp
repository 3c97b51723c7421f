#include "server/routes/parameter_docs.h"

#include <utility>

#include "server/http/problem.h"

namespace heliograph::server {
namespace {

ParameterDoc Documented(std::string name, std::string description, ParameterType type) {
  ParameterDoc doc;
  doc.name = std::move(name);
  doc.description = std::move(description);
  doc.type = type;
  return doc;
}

}  // namespace

ParameterDoc TimeDoc(std::string name, std::string description) {
  return Documented(std::move(name), std::move(description), ParameterType::kTime);
}

ParameterDoc FlagDoc(std::string name, std::string description) {
  return Documented(std::move(name), std::move(description), ParameterType::kBoolean);
}

ParameterDoc IntegerDoc(std::string name, std::string description, std::int64_t minimum,
                        std::int64_t maximum) {
  ParameterDoc doc = Documented(std::move(name), std::move(description), ParameterType::kInteger);
  doc.minimum = minimum;
  doc.maximum = maximum;
  return doc;
}

ParameterDoc PathDoc(std::string name, std::string description) {
  ParameterDoc doc = Documented(std::move(name), std::move(description), ParameterType::kString);
  doc.place = ParameterPlace::kPath;
  return doc;
}

ResponseDoc ProblemDoc(int status, std::string description) {
  return {status, std::move(description), "application/problem+json"};
}

ParameterDoc AreaDoc() {
  return TextDoc("area", "Must be empty: this server has no areas.");
}

void RefuseArea(const Request& request) {
  const std::string* area = request.FindQuery("area");
  if (area != nullptr && !area->empty())
    throw ProblemError(400, "area is '" + *area + "', but this server has no areas; use region");
}

}  // namespace heliograph::server
