#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace heliograph::config_input {

inline constexpr int kMaxDays = 36500;

/// One object of the file. Asking for a member marks it as known; what nobody asked for is unknown. Each Read
/// leaves `out` as it is when the member is absent or null, and throws InvalidConfig, which names the member
/// by its dotted path, when its value has another type or is out of range.
class Section {
 public:
  /// `path` is empty for the whole file. Throws InvalidConfig when `object` is none. `object` and `unknown`
  /// outlive the section.
  Section(const nlohmann::json& object, std::string path, std::vector<std::string>& unknown);
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;

  /// Adds what nobody asked for to the unknown keys. Names with a leading underscore are comments by custom.
  void ReportUnknown() const;

  /// The dotted path of a member.
  std::string Path(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }
  std::vector<std::string>& unknown() const { return unknown_; }

  /// The member, or null when it is absent or null.
  const nlohmann::json* Find(const std::string& key);

  void Read(const std::string& key, std::string& out);
  void Read(const std::string& key, bool& out);
  /// The texts are trimmed, and the empty ones left out.
  void Read(const std::string& key, std::vector<std::string>& out);
  void ReadNumber(const std::string& key, std::optional<double>& out);
  /// Days where zero or less means never.
  void ReadDays(const std::string& key, std::optional<int>& out);

  template <typename Integer>
  void ReadInteger(const std::string& key, Integer& out, std::int64_t least, std::int64_t most) {
    if (const auto value = WholeNumber(key, least, most)) out = static_cast<Integer>(*value);
  }
  template <typename Duration>
  void ReadDuration(const std::string& key, Duration& out, std::int64_t least, std::int64_t most) {
    if (const auto value = WholeNumber(key, least, most)) out = Duration(*value);
  }

 private:
  std::optional<std::int64_t> WholeNumber(const std::string& key, std::int64_t least, std::int64_t most);

  const nlohmann::json& object_;
  std::string path_;
  std::vector<std::string>& unknown_;
  std::set<std::string> known_;
};

/// Calls `read` with the object under `key`, if there is one, and reports what it left unread.
template <typename Reader>
void ReadSection(Section& parent, const std::string& key, Reader read) {
  const nlohmann::json* value = parent.Find(key);
  if (value == nullptr) return;
  Section section(*value, parent.Path(key), parent.unknown());
  read(section);
  section.ReportUnknown();
}

}  // namespace heliograph::config_input
