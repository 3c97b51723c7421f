#include "server/commands.h"

int main(int argc, char** argv) {
  return static_cast<int>(heliograph::server::RunProgram(argc, argv));
}
