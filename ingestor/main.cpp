#include "ingestor/commands.h"

int main(int argc, char** argv) {
  return static_cast<int>(heliograph::ingestor::RunProgram(argc, argv));
}
