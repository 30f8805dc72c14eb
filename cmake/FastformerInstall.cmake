# install() of the rooms and the package files, so that another project can say
#
#   find_package(fastformer REQUIRED)
#   target_link_libraries(app PRIVATE fastformer::tasks)
include(CMakePackageConfigHelpers)
set(package_directory "${CMAKE_INSTALL_LIBDIR}/cmake/fastformer")

# cli is the inside of the program: exporting it would ask every consumer for CLI11.
get_property(exported_rooms GLOBAL PROPERTY FASTFORMER_ROOMS)
list(REMOVE_ITEM exported_rooms fastformer_cli)
install(TARGETS ${exported_rooms} EXPORT fastformerTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
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
  DESTINATION "${package_directory}")

# LibTorch usually lies in a Python environment, where the loader does not look by itself. Named here,
# because INSTALL_RPATH_USE_LINK_PATH leaves out what lies in the source tree, as .venv does.
if(TARGET fastformer_program)
  set_target_properties(fastformer_program PROPERTIES
    INSTALL_RPATH "${FASTFORMER_TORCH_LIBRARY_DIR}")
endif()
