# What is installed: program, libraries, header, and what pkg-config and CMake need to find them.
include(CMakePackageConfigHelpers)

# A static library has no hidden symbols, only names that may collide with the user's (fail, allocate). So the
# installed one is a single object in which every name but tanda_... is local.
set(STATIC_OBJECT ${PROJECT_BINARY_DIR}/tanda.o)
set(STATIC_LIBRARY ${PROJECT_BINARY_DIR}/static/libtanda.a)
add_custom_command(OUTPUT ${STATIC_LIBRARY}
  COMMAND ${CMAKE_LINKER} -r -o ${STATIC_OBJECT} $<TARGET_OBJECTS:tanda_objects> ${ISA_OBJECTS}
  COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${STATIC_OBJECT}
  COMMAND ${CMAKE_COMMAND} -E rm -f ${STATIC_LIBRARY}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/static
  COMMAND ${CMAKE_AR} rcsD ${STATIC_LIBRARY} ${STATIC_OBJECT}
  DEPENDS tanda_objects $<TARGET_OBJECTS:tanda_objects> ${ISA_OBJECTS}
  COMMAND_EXPAND_LISTS VERBATIM)
add_custom_target(tanda_installed_static ALL DEPENDS ${STATIC_LIBRARY})

# What a program linked with the static library needs besides. gcc's OpenMP library is found by every compiler,
# clang's only by its path.
set(STATIC_NEEDS OpenCL clblast z archive jansson nettle)
set(STATIC_FLAGS "-lOpenCL -lclblast -lz -larchive -ljansson -lnettle")
foreach(name ${OpenMP_C_LIB_NAMES})
  if(name MATCHES "^(gomp|pthread)$")
    list(APPEND STATIC_NEEDS ${name})
    string(APPEND STATIC_FLAGS " -l${name}")
  else()
    list(APPEND STATIC_NEEDS ${OpenMP_${name}_LIBRARY})
    string(APPEND STATIC_FLAGS " ${OpenMP_${name}_LIBRARY}")
  endif()
endforeach()
list(APPEND STATIC_NEEDS m)
string(APPEND STATIC_FLAGS " -lm")

set(PACKAGE_FOLDER ${CMAKE_INSTALL_LIBDIR}/cmake/tanda)
file(RELATIVE_PATH PREFIX_FROM_PKGCONFIG /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/tanda.pc.in tanda.pc @ONLY)
configure_package_config_file(cmake/tandaConfig.cmake.in tandaConfig.cmake INSTALL_DESTINATION ${PACKAGE_FOLDER}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(tandaConfigVersion.cmake COMPATIBILITY SameMinorVersion)

# Manual pages and completion, made by the program of the tables that its --help is made of.
if(TARGET tanda AND NOT CMAKE_CROSSCOMPILING)
  set(MANUAL_FOLDER ${PROJECT_BINARY_DIR}/man)
  set(COMPLETION_FOLDER ${PROJECT_BINARY_DIR}/completion)
  set(COMPLETIONS ${COMPLETION_FOLDER}/tanda ${COMPLETION_FOLDER}/_tanda ${COMPLETION_FOLDER}/tanda.fish)
  file(MAKE_DIRECTORY ${MANUAL_FOLDER} ${COMPLETION_FOLDER})
  set(MANUAL_PAGES ${MANUAL_FOLDER}/tanda.1)
  set(MANUAL_COMMANDS COMMAND tanda help --man > ${MANUAL_FOLDER}/tanda.1)
  foreach(command train evaluate predict verify record trace surface report generate shuffle inspect devices bench lab)
    list(APPEND MANUAL_PAGES ${MANUAL_FOLDER}/tanda-${command}.1)
    list(APPEND MANUAL_COMMANDS COMMAND tanda help --man ${command} > ${MANUAL_FOLDER}/tanda-${command}.1)
  endforeach()
  add_custom_command(OUTPUT ${MANUAL_PAGES} ${COMPLETIONS} ${MANUAL_COMMANDS}
    COMMAND tanda help --completion bash > ${COMPLETION_FOLDER}/tanda
    COMMAND tanda help --completion zsh > ${COMPLETION_FOLDER}/_tanda
    COMMAND tanda help --completion fish > ${COMPLETION_FOLDER}/tanda.fish DEPENDS tanda VERBATIM)
  add_custom_target(tanda_documents ALL DEPENDS ${MANUAL_PAGES} ${COMPLETIONS})
  install(FILES ${MANUAL_PAGES} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${COMPLETION_FOLDER}/tanda DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${COMPLETION_FOLDER}/_tanda DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${COMPLETION_FOLDER}/tanda.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()

if(TARGET tanda)
  install(TARGETS tanda)
endif()
install(TARGETS tanda_shared)
install(FILES ${STATIC_LIBRARY} DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES host/include/tanda.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${PROJECT_BINARY_DIR}/tanda.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${PROJECT_BINARY_DIR}/tandaConfig.cmake ${PROJECT_BINARY_DIR}/tandaConfigVersion.cmake
        DESTINATION ${PACKAGE_FOLDER})
