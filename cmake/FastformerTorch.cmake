# fastformer_torch: LibTorch's headers and libraries. It is exported empty: fastformerConfig.cmake fills it
# with the LibTorch of the consumer.
include(FastformerFindTorch)
if(NOT Torch_FOUND)
  message(FATAL_ERROR "LibTorch was not found: run scripts/setup, or give -DFASTFORMER_TORCH_PREFIX=<folder>")
endif()

get_filename_component(FASTFORMER_TORCH_LIBRARY_DIR "${TORCH_LIBRARY}" DIRECTORY)
add_library(fastformer_torch INTERFACE)
# SYSTEM: warnings inside LibTorch's headers are not ours to fix.
target_include_directories(fastformer_torch SYSTEM INTERFACE
  "$<BUILD_INTERFACE:${TORCH_INCLUDE_DIRS}>")
foreach(library IN LISTS TORCH_LIBRARIES)
  target_link_libraries(fastformer_torch INTERFACE $<BUILD_INTERFACE:${library}>)
endforeach()
set_target_properties(fastformer_torch PROPERTIES EXPORT_NAME torch)
set_property(GLOBAL APPEND PROPERTY FASTFORMER_MODULES fastformer_torch)

# LibTorch's headers take most of the compile time: one precompiled header serves every module, and
# eight files at a time share what reading it and instantiating its templates still costs.
function(fastformer_reuse_torch_headers target)
  set_target_properties(${target} PROPERTIES FASTFORMER_TORCH_HEADERS ON
    UNITY_BUILD ${FASTFORMER_UNITY_BUILD} UNITY_BUILD_BATCH_SIZE 8)
  if(FASTFORMER_PRECOMPILED_HEADERS)
    if(NOT TARGET fastformer_torch_pch)
      file(WRITE "${PROJECT_BINARY_DIR}/torch_pch.cc" "// Owns the precompiled header.\n")
      add_library(fastformer_torch_pch OBJECT "${PROJECT_BINARY_DIR}/torch_pch.cc")
      set_target_properties(fastformer_torch_pch PROPERTIES
        POSITION_INDEPENDENT_CODE ON FASTFORMER_TORCH_HEADERS ON)
      target_link_libraries(fastformer_torch_pch PRIVATE fastformer_torch fastformer_flags)
      target_precompile_headers(fastformer_torch_pch PRIVATE
        <ATen/ATen.h> <torch/csrc/autograd/custom_function.h> <string> <vector> <map> <memory>
        <functional> <filesystem>)
    endif()
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    # For a program that property means -fPIE, and GCC refuses a header precompiled with -fPIC.
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "EXECUTABLE")
      target_compile_options(${target} PRIVATE -fPIC)
    endif()
    target_precompile_headers(${target} REUSE_FROM fastformer_torch_pch)
  endif()
endfunction()
