# install() of the modules and the package files, so that another project can say
#
#   find_package(fastformer REQUIRED)
#   target_link_libraries(app PRIVATE fastformer::classification)
include(CMakePackageConfigHelpers)
set(package_directory "${CMAKE_INSTALL_LIBDIR}/cmake/fastformer")

get_property(exported_modules GLOBAL PROPERTY FASTFORMER_MODULES)
install(TARGETS ${exported_modules} EXPORT fastformerTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} FILE_SET HEADERS)
install(EXPORT fastformerTargets NAMESPACE fastformer:: DESTINATION "${package_directory}")

configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/fastformerConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/fastformerConfig.cmake"
  INSTALL_DESTINATION "${package_directory}")
# Before 1.0 a minor version may change an interface.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/fastformerConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/fastformerConfig.cmake"
  "${PROJECT_BINARY_DIR}/fastformerConfigVersion.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/FastformerFindTorch.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/FindLIBLINEAR.cmake"
  DESTINATION "${package_directory}")

# The program finds LibTorch's libraries beside itself, so that the installed tree can be moved and
# needs neither the checkout nor its .venv.
if(TARGET fastformer_program)
  if(FASTFORMER_INSTALL_TORCH)
    set(bundle "${CMAKE_INSTALL_LIBDIR}/fastformer")
    file(GLOB openmp_runtime "${FASTFORMER_TORCH_LIBRARY_DIR}/libgomp.so.*")
    install(FILES
      "${FASTFORMER_TORCH_LIBRARY_DIR}/libtorch_cpu.so" "${FASTFORMER_TORCH_LIBRARY_DIR}/libc10.so"
      ${openmp_runtime}
      DESTINATION "${bundle}")
    file(RELATIVE_PATH runpath "/${CMAKE_INSTALL_BINDIR}" "/${bundle}")
    set(runpath "$ORIGIN/${runpath}")
  else()
    set(runpath "${FASTFORMER_TORCH_LIBRARY_DIR}")
  endif()
  set_target_properties(fastformer_program PROPERTIES
    INSTALL_RPATH "${runpath}" INSTALL_RPATH_USE_LINK_PATH OFF)
  # The program writes its own completions.
  foreach(completion bash:bash-completion/completions/fastformer zsh:zsh/site-functions/_fastformer
      fish:fish/vendor_completions.d/fastformer.fish)
    string(REGEX MATCH "^([a-z]+):(.*)$" matched "${completion}")
    set(file "${CMAKE_INSTALL_DATADIR}/${CMAKE_MATCH_2}")
    install(CODE "
      set(file \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${file}\")
      cmake_path(GET file PARENT_PATH folder)
      file(MAKE_DIRECTORY \"\${folder}\")
      execute_process(COMMAND \"$<TARGET_FILE:fastformer_program>\" completions ${CMAKE_MATCH_1}
        OUTPUT_FILE \"\${file}\" COMMAND_ERROR_IS_FATAL ANY)")
  endforeach()
endif()

install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/README.md"
  "${PROJECT_SOURCE_DIR}/CHANGELOG.md" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/docs" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/examples" "${PROJECT_SOURCE_DIR}/recipes"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/fastformer")

# A Debian package of the runtime (scripts/package).
if(NOT FASTFORMER_WITH_TORCH)
  set(CPACK_GENERATOR DEB)
  set(CPACK_PACKAGE_NAME fastformer-runtime)
  set(CPACK_PACKAGE_CONTACT "The fastformer developers")
  set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}: the runtime of classifiers")
  set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
  set(CPACK_STRIP_FILES ON)
  set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
  set(CPACK_DEBIAN_PACKAGE_SECTION science)
  include(CPack)
endif()
