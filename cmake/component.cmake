# Flags that every target of this project has. Third-party headers are system headers and stay outside them.
add_library(heliograph_flags INTERFACE)
target_compile_options(heliograph_flags INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror)
# At -O3, g++ 12 sees overlaps inside std::string's operator+ that are not there; 13 does not. Test builds are -O1.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13 AND NOT HELIOGRAPH_FAILPOINTS)
  target_compile_options(heliograph_flags INTERFACE -Wno-restrict)
endif()
target_include_directories(heliograph_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(heliograph_flags INTERFACE HELIOGRAPH_VERSION="${PROJECT_VERSION}")
if(HELIOGRAPH_FAILPOINTS)
  target_compile_definitions(heliograph_flags INTERFACE HELIOGRAPH_FAILPOINTS=1)
endif()
if(HELIOGRAPH_SANITIZE)
  target_compile_options(heliograph_flags INTERFACE -fsanitize=${HELIOGRAPH_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(heliograph_flags INTERFACE -fsanitize=${HELIOGRAPH_SANITIZE})
endif()

# heliograph_component(NAME SOURCES... LINKS...): the library of one folder.
function(heliograph_component name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_library(heliograph_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(heliograph_${name} PUBLIC heliograph_flags ${ARG_LINKS})
endfunction()
