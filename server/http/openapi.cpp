#include "server/http/openapi.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

namespace heliograph::server {
namespace {

using Json = nlohmann::ordered_json;

std::string LowerName(Method method) {
  std::string name(Name(method));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return static_cast<char>(c - 'A' + 'a'); });
  return name;
}

Json SchemaOf(const ParameterDoc& doc) {
  Json schema;
  switch (doc.type) {
    case ParameterType::kString:
      schema["type"] = "string";
      break;
    case ParameterType::kInteger:
      schema["type"] = "integer";
      break;
    case ParameterType::kNumber:
      schema["type"] = "number";
      break;
    case ParameterType::kBoolean:
      schema["type"] = "boolean";
      break;
    case ParameterType::kTime:
      schema["type"] = "string";
      schema["format"] = "date-time";
      break;
  }
  if (doc.minimum) {
    schema["minimum"] = *doc.minimum;
  }
  if (doc.maximum) {
    schema["maximum"] = *doc.maximum;
  }
  if (doc.fallback) {
    schema["default"] = *doc.fallback;
  }
  if (!doc.choices.empty()) {
    schema["enum"] = doc.choices;
  }
  return schema;
}

Json ParameterObject(const ParameterDoc& doc) {
  const bool in_path = doc.place == ParameterPlace::kPath;
  Json object;
  object["name"] = doc.name;
  object["in"] = in_path ? "path" : "query";
  object["required"] = in_path;
  if (!doc.description.empty()) {
    object["description"] = doc.description;
  }
  object["schema"] = SchemaOf(doc);
  return object;
}

// The documented parameters, and the path parameters that nobody documented.
Json ParametersOf(const Route& route) {
  Json parameters = Json::array();
  std::size_t open = 0;
  while ((open = route.path.find('{', open)) != std::string::npos) {
    const std::size_t close = route.path.find('}', open);
    ParameterDoc doc;
    doc.name = route.path.substr(open + 1, close - open - 1);
    for (const ParameterDoc& given : route.parameters) {
      if (given.place == ParameterPlace::kPath && given.name == doc.name) {
        doc = given;
      }
    }
    doc.place = ParameterPlace::kPath;
    parameters.push_back(ParameterObject(doc));
    open = close;
  }
  for (const ParameterDoc& doc : route.parameters) {
    if (doc.place == ParameterPlace::kQuery) {
      parameters.push_back(ParameterObject(doc));
    }
  }
  return parameters;
}

Json ResponsesOf(const Route& route) {
  Json responses = Json::object();
  for (const ResponseDoc& doc : route.responses) {
    Json object;
    object["description"] = doc.description;
    if (!doc.content_type.empty()) {
      object["content"][doc.content_type] = Json::object();
    }
    responses[std::to_string(doc.status)] = object;
  }
  responses["default"]["$ref"] = "#/components/responses/Problem";
  return responses;
}

Json OperationOf(const Route& route) {
  Json operation;
  operation["summary"] = route.summary;
  if (!route.tag.empty()) {
    operation["tags"] = Json::array({route.tag});
  }
  if (Json parameters = ParametersOf(route); !parameters.empty()) {
    operation["parameters"] = std::move(parameters);
  }
  if (route.request_body) {
    operation["requestBody"]["description"] = *route.request_body;
    operation["requestBody"]["content"]["application/json"] = Json::object();
  }
  if (route.access == Access::kWrite) {
    Json requirement;
    requirement["ApiKey"] = Json::array();
    operation["security"] = Json::array();
    operation["security"].push_back(std::move(requirement));
  }
  operation["responses"] = ResponsesOf(route);
  return operation;
}

Json Components() {
  Json components;
  Json& key = components["securitySchemes"]["ApiKey"];
  key["type"] = "apiKey";
  key["in"] = "header";
  key["name"] = "X-API-Key";
  Json& problem = components["responses"]["Problem"];
  problem["description"] = "An error (RFC 9457).";
  problem["content"]["application/problem+json"]["schema"]["$ref"] = "#/components/schemas/Problem";
  Json& schema = components["schemas"]["Problem"];
  schema["type"] = "object";
  schema["required"] = {"error", "status"};
  for (const char* text : {"error", "type", "title", "detail", "instance"}) {
    schema["properties"][text]["type"] = "string";
  }
  schema["properties"]["status"]["type"] = "integer";
  return components;
}

}  // namespace

std::string OpenApiDocument(const Router& router, const std::string& title, const std::string& version) {
  Json document;
  document["openapi"] = "3.0.3";
  document["info"]["title"] = title;
  document["info"]["version"] = version;
  std::vector<const Route*> routes;
  for (const auto& route : router.routes()) {
    if (route->path.starts_with("/api/")) {
      routes.push_back(route.get());
    }
  }
  std::stable_sort(routes.begin(), routes.end(),
                   [](const Route* a, const Route* b) { return a->path < b->path; });
  document["paths"] = Json::object();
  for (const Route* route : routes) {
    document["paths"][route->path][LowerName(route->method)] = OperationOf(*route);
  }
  document["components"] = Components();
  return document.dump(1) + "\n";
}

}  // namespace heliograph::server
