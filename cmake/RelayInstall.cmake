# What `cmake --install` installs: programs (relay_program), the library with its CMake package, manual pages, the systemd
# unit, a configuration and the documentation; gui/ adds what belongs to the dashboard.

include(CMakePackageConfigHelpers)

# The whole library as one target, under the same name in this tree and in the installed package.
add_library(relay INTERFACE)
add_library(Relay::relay ALIAS relay)
get_property(relay_layers GLOBAL PROPERTY RELAY_LAYERS)
set(relay_layer_targets ${relay_layers})
list(TRANSFORM relay_layer_targets PREPEND relay_)
target_link_libraries(relay INTERFACE ${relay_layer_targets})
target_include_directories(relay INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

# The headers, by layer, as they include each other: <relay/hub/hub.h>, and "hub/hub.h" for the library's own.
foreach(layer ${relay_layers})
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/lib/${layer}
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/relay
        FILES_MATCHING PATTERN "*.h")
endforeach()
install(FILES ${PROJECT_BINARY_DIR}/generated/base/version.h
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/relay/base)

# find_package(Relay): targets Relay::relay, and Relay::<layer> for who wants less.
set(relay_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Relay)
install(TARGETS relay ${relay_layer_targets}
    EXPORT RelayTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
# A program that links the libraries is not slowed down by link-time optimisation that it did not ask for, nor does it grow
# by their debugging information.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_OBJCOPY)
    foreach(target ${relay_layer_targets})
        install(CODE "execute_process(COMMAND \"${CMAKE_OBJCOPY}\" --strip-debug --remove-section=.gnu.lto_*
            --remove-section=.gnu.debuglto_* --strip-symbol=__gnu_lto_v1 --strip-symbol=__gnu_lto_slim
            \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/$<TARGET_FILE_NAME:${target}>\"
            COMMAND_ERROR_IS_FATAL ANY)")
    endforeach()
endif()
install(EXPORT RelayTargets NAMESPACE Relay:: DESTINATION ${relay_package_dir})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/RelayConfig.cmake.in
    ${PROJECT_BINARY_DIR}/RelayConfig.cmake
    INSTALL_DESTINATION ${relay_package_dir})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/RelayConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/RelayConfig.cmake ${PROJECT_BINARY_DIR}/RelayConfigVersion.cmake
    DESTINATION ${relay_package_dir})

# What an operator needs. The unit reads the system's configuration, which an installation never overwrites: the sample
# goes to the documentation.
set(RELAY_CONFIG_FILE /etc/relay/relay.yaml)
configure_file(${PROJECT_SOURCE_DIR}/resources/relayd.service.in ${PROJECT_BINARY_DIR}/relayd.service @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/relayd.service DESTINATION lib/systemd/system)
foreach(page relayd relay-bench)
    configure_file(${PROJECT_SOURCE_DIR}/resources/${page}.1.in ${PROJECT_BINARY_DIR}/${page}.1 @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/${page}.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endforeach()
# In the folders of the source, so that the links between them hold.
install(FILES ${PROJECT_SOURCE_DIR}/relay.yaml ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/CHANGELOG.md
              ${PROJECT_SOURCE_DIR}/LICENSE
    DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
