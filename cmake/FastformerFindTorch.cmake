# Finds LibTorch for the build and, installed beside fastformerConfig.cmake, for its consumers. First
# found wins: FASTFORMER_TORCH_PREFIX (cache or environment), the Python that a package is built for, the
# project's .venv, the active Python.
set(FASTFORMER_TORCH_PREFIX "$ENV{FASTFORMER_TORCH_PREFIX}" CACHE PATH "Folder of a LibTorch")

if(FASTFORMER_TORCH_PREFIX)
  list(PREPEND CMAKE_PREFIX_PATH "${FASTFORMER_TORCH_PREFIX}")
elseif(NOT Torch_DIR)
  foreach(python ${Python_EXECUTABLE} "${PROJECT_SOURCE_DIR}/.venv/bin/python" python3)
    execute_process(
      COMMAND "${python}" -c "import torch; print(torch.utils.cmake_prefix_path)"
      OUTPUT_VARIABLE torch_cmake_path OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET
      RESULT_VARIABLE torch_missing)
    if(NOT torch_missing)
      list(APPEND CMAKE_PREFIX_PATH "${torch_cmake_path}")
      break()
    endif()
  endforeach()
endif()
find_package(Torch QUIET)
