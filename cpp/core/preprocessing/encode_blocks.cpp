#include "preprocessing/encode_blocks.hpp"
