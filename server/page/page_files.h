#pragma once

#include <span>
#include <string_view>

namespace heliograph::server {

/// One file of the web page, as it was when the program was built.
struct PageFile {
  std::string_view name;  ///< `index.html`
  std::string_view bytes;
};

/// Every file of the page; generated from this folder by the build.
std::span<const PageFile> PageFiles();

}  // namespace heliograph::server
