# fastformer_test(<module>): one GoogleTest program of the *_test.cc in tests/<module>/ and its folders. Its
# tests run in four parts with the label unit, those whose suite name ends in "Slow" in four with the
# label slow.
function(fastformer_test module)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/${module}/*_test.cc")
  if(NOT sources)
    return()
  endif()
  set(target ${module}_test)
  add_executable(${target} ${sources})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${target} PRIVATE fastformer::${module} fastformer_flags GTest::gtest_main)
  target_compile_definitions(${target} PRIVATE
    FASTFORMER_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(TARGET fastformer_torch_pch AND NOT module MATCHES "^(base|text|kernels|linear|model|runtime|metrics|data|capi|serve)$")
    fastformer_reuse_torch_headers(${target})
  endif()
  if(module STREQUAL "cli")  # its tests run the program and the examples as a user does
    add_dependencies(${target} fastformer_program fastformer_examples)
    target_compile_definitions(${target} PRIVATE
      FASTFORMER_PROGRAM="$<TARGET_FILE:fastformer_program>"
      FASTFORMER_EXAMPLES="${PROJECT_BINARY_DIR}/bin/examples")
  endif()
  # A process for each test would spend most of its time on loading LibTorch.
  set(unit_filter "-*Slow.*")
  set(unit_timeout 600)
  set(slow_filter "*Slow.*")
  set(slow_timeout 900)
  set(labels unit)
  foreach(source ${sources})
    file(STRINGS "${source}" slow REGEX "Slow[,.]")
    if(slow)
      set(labels unit slow)
    endif()
  endforeach()
  foreach(label ${labels})
    foreach(shard 1 2 3 4)
      math(EXPR index "${shard} - 1")
      set(name ${module}.${label}.${shard})
      add_test(NAME ${name} COMMAND ${target} "--gtest_filter=${${label}_filter}")
      set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT ${${label}_timeout}
        ENVIRONMENT "GTEST_TOTAL_SHARDS=4;GTEST_SHARD_INDEX=${index}")
    endforeach()
  endforeach()
endfunction()
