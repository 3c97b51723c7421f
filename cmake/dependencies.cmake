# Everything that Heliograph takes from others, found as Debian packages install it (deploy/install-deps.sh).

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(simdjson REQUIRED)
find_package(eclipse-paho-mqtt-c REQUIRED)
find_package(SQLiteCpp REQUIRED)

# cpp-httplib is split into a header and a library on Debian: the library's own flags decide the class layouts.
pkg_check_modules(httplib REQUIRED IMPORTED_TARGET cpp-httplib)

# igraph's own CMake package asks for the parts of a static build; its pkg-config file names the shared library alone.
pkg_check_modules(igraph REQUIRED IMPORTED_TARGET igraph)

# paho-mqttpp3 has a CMake package, but its imported targets differ between Debian releases.
find_library(PAHO_MQTTPP_LIBRARY paho-mqttpp3 REQUIRED)
find_library(PAHO_MQTT_ASYNC_TLS_LIBRARY paho-mqtt3as REQUIRED)
add_library(heliograph_paho INTERFACE)
target_link_libraries(heliograph_paho INTERFACE ${PAHO_MQTTPP_LIBRARY} ${PAHO_MQTT_ASYNC_TLS_LIBRARY})

if(HELIOGRAPH_BUILD_TESTS)
  find_package(GTest REQUIRED)
  find_package(rapidcheck REQUIRED)
endif()
if(HELIOGRAPH_BUILD_BENCHMARKS)
  find_package(benchmark REQUIRED)
endif()
