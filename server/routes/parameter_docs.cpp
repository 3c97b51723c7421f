#include "server/routes/parameter_docs.h"

#include <utility>

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

}  // namespace heliograph::server
