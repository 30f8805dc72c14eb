# fastformer_test(<room>): one GoogleTest program of tests/<room>/*_test.cc. Its tests are run in four
# parts with the label unit, those whose suite name ends in "Slow" in four with the label slow.
function(fastformer_test room)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/${room}/*_test.cc")
  if(NOT sources)
    return()
  endif()
  set(target ${room}_test)
  add_executable(${target} ${sources})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${target} PRIVATE fastformer::${room} fastformer_flags GTest::gtest_main)
  target_compile_definitions(${target} PRIVATE
    FASTFORMER_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(TARGET fastformer_torch_pch AND NOT room MATCHES "^(base|text|data|kernels)$")
    fastformer_reuse_torch_headers(${target})
  endif()
  if(room STREQUAL "cli")  # its tests run the program as a user does
    add_dependencies(${target} fastformer_program fastformer_example)
    target_compile_definitions(${target} PRIVATE
      FASTFORMER_PROGRAM="$<TARGET_FILE:fastformer_program>"
      FASTFORMER_EXAMPLE="$<TARGET_FILE:fastformer_example>")
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
      set(name ${room}.${label}.${shard})
      add_test(NAME ${name} COMMAND ${target} "--gtest_filter=${${label}_filter}")
      set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT ${${label}_timeout}
        ENVIRONMENT "GTEST_TOTAL_SHARDS=4;GTEST_SHARD_INDEX=${index}")
    endforeach()
  endforeach()
endfunction()
