#include "server/page/page.h"

#include <algorithm>
#include <string>

#include "server/http/etag.h"
#include "server/http/problem.h"
#include "server/page/page_files.h"

namespace heliograph::server {
namespace {

constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

std::string_view ContentTypeOf(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  return "text/javascript; charset=utf-8";
}

}  // namespace

Response ServePage(const Request& request) {
  const std::string_view wanted =
      request.path == "/" ? "index.html" : std::string_view(request.path).substr(1);
  const auto files = PageFiles();
  const auto file =
      std::find_if(files.begin(), files.end(), [wanted](const PageFile& one) { return one.name == wanted; });
  if (file == files.end())
    throw ProblemError(404, "There is nothing at " + request.path + "; /api/spec lists what there is.");
  Response response;
  response.content_type = ContentTypeOf(file->name);
  response.body = std::string(file->bytes);
  response.SetHeader("Content-Security-Policy", kPolicy);
  response.SetHeader("X-Content-Type-Options", "nosniff");
  response.SetHeader("Cache-Control", "no-cache");
  return WithETag(request, std::move(response), ETagOfBody(file->bytes));
}

}  // namespace heliograph::server
