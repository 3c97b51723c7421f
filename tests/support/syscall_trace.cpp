#include "tests/support/syscall_trace.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>

namespace heliograph::testing {
namespace {

constexpr std::string_view kUnfinished = " <unfinished ...>";

int TakeProcess(std::string_view& line) {
  int process = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), process);
  if (error == std::errc{}) line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  while (line.starts_with(' ')) line.remove_prefix(1);
  return process;
}

/// The text of a quoted argument that starts at `at`; `at` then stands behind it. Escapes stay as they are.
std::string TakeQuoted(std::string_view text, std::size_t& at) {
  const std::size_t start = ++at;
  while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  const std::string_view quoted = text.substr(start, at - start);
  ++at;
  return std::string(quoted);
}

/// The path of `3</a/b>` or `AT_FDCWD</a>`, where `at` stands on the `<`; `at` then stands behind it.
std::string TakeDescriptorPath(std::string_view text, std::size_t& at) {
  const auto end = std::min(text.find('>', at), text.size());
  const std::string_view path = text.substr(at + 1, end - at - 1);
  at = end + 1;
  return std::string(path);
}

std::string Join(const std::string& folder, const std::string& name) {
  return name.starts_with('/') || folder.empty() ? name : folder + "/" + name;
}

std::vector<std::string> PathsOf(std::string_view name, std::string_view arguments) {
  const bool takes_folders = name.find("at") != std::string_view::npos && name != "fdatasync";
  const bool takes_names = takes_folders || name == "open" || name == "rename" || name == "unlink";
  std::vector<std::string> paths;
  std::string folder;
  for (std::size_t at = 0; at < arguments.size();) {
    if (arguments[at] == '<') {
      folder = TakeDescriptorPath(arguments, at);
      if (!takes_folders) paths.push_back(folder);
    } else if (arguments[at] == '"') {
      const std::string quoted = TakeQuoted(arguments, at);
      if (takes_names) paths.push_back(Join(folder, quoted));
    } else {
      ++at;
    }
  }
  return paths;
}

std::optional<Syscall> ParseCall(int process, std::string_view line) {
  const auto open = line.find('(');
  const auto equals = line.rfind(" = ");
  if (open == std::string_view::npos || equals == std::string_view::npos || equals < open)
    return std::nullopt;
  Syscall call;
  call.process = process;
  call.name = line.substr(0, open);
  call.paths = PathsOf(call.name, line.substr(open + 1, equals - open - 1));
  const std::string_view result = line.substr(equals + 3);
  if (std::from_chars(result.data(), result.data() + result.size(), call.result).ec != std::errc{})
    return std::nullopt;
  call.line = line;
  return call;
}

}  // namespace

SyscallTrace SyscallTrace::Parse(std::string_view text) {
  SyscallTrace trace;
  std::map<int, std::string> unfinished;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const int process = TakeProcess(line);
    if (line.starts_with("+++") || line.starts_with("---")) continue;
    if (line.ends_with(kUnfinished)) {
      unfinished[process] = line.substr(0, line.size() - kUnfinished.size());
      continue;
    }
    std::string whole(line);
    if (line.starts_with("<... ")) {
      const auto rest = line.find(" resumed>");
      if (rest == std::string_view::npos) continue;
      whole = std::exchange(unfinished[process], {}).append(line.substr(rest + 9));
    }
    if (auto call = ParseCall(process, whole)) trace.calls_.push_back(std::move(*call));
  }
  return trace;
}

std::vector<std::size_t> SyscallTrace::Find(std::initializer_list<std::string_view> names,
                                            std::string_view path_end) const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    const Syscall& call = calls_[i];
    const bool named = std::find(names.begin(), names.end(), call.name) != names.end();
    const bool concerned = std::any_of(call.paths.begin(), call.paths.end(),
                                       [&](const std::string& path) { return path.ends_with(path_end); });
    if (named && concerned && call.result >= 0) found.push_back(i);
  }
  return found;
}

std::optional<std::string> WhyTracingIsImpossible() {
  const ProgramEnd end = RunProgram({"strace", "-f", "-o", "/dev/null", "true"});
  if (end.exit_code == 0) return std::nullopt;
  if (end.exit_code == 127) return "strace is not installed";
  return "strace cannot trace here (exit code " + std::to_string(end.exit_code) + "): ptrace is forbidden";
}

TracedProgram RunTraced(const std::vector<std::string>& command, const std::filesystem::path& folder,
                        const std::string& inject, std::string_view calls) {
  const std::filesystem::path output = folder / "strace.txt";
  std::vector<std::string> traced{
      "strace", "-f", "-y", "-s", "16", "-e", "trace=" + std::string(calls), "-o", output.string()};
  if (!inject.empty()) traced.insert(traced.end(), {"-e", "inject=" + inject});
  traced.insert(traced.end(), command.begin(), command.end());

  ProgramSetting setting;
  // LeakSanitizer is itself a tracer, and there can be only one.
  setting.environment["ASAN_OPTIONS"] = "detect_leaks=0";
  TracedProgram program;
  program.end = RunProgram(traced, setting);
  std::ostringstream text;
  text << std::ifstream(output).rdbuf();
  program.trace = SyscallTrace::Parse(text.str());
  return program;
}

}  // namespace heliograph::testing
