# How every target of the project is built: one place for warnings, hardening, sanitizers and Qt's strictness.

add_library(relay_build_flags INTERFACE)
target_compile_features(relay_build_flags INTERFACE cxx_std_20)
target_compile_options(relay_build_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion
    $<$<BOOL:${RELAY_WERROR}>:-Werror>
    $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
    # In a unity build gcc takes a source's anonymous namespace for a header's.
    $<$<AND:$<BOOL:${CMAKE_UNITY_BUILD}>,$<CXX_COMPILER_ID:GNU>>:-Wno-subobject-linkage>
    -fstack-protector-strong)
target_compile_definitions(relay_build_flags INTERFACE
    QT_NO_CAST_FROM_ASCII QT_NO_CAST_TO_ASCII QT_NO_FOREACH QT_NO_KEYWORDS
    QT_NO_URL_CAST_FROM_STRING QT_NO_NARROWING_CONVERSIONS_IN_CONNECT QT_USE_QSTRINGBUILDER
    $<$<NOT:$<CONFIG:Debug>>:_GLIBCXX_ASSERTIONS>)
if(NOT RELAY_SANITIZE)
    # _FORTIFY_SOURCE needs the optimiser, and hides overflows from the address sanitizer.
    target_compile_definitions(relay_build_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
endif()
target_link_options(relay_build_flags INTERFACE -Wl,-z,relro,-z,now)

if(RELAY_SANITIZE)
    target_compile_options(relay_build_flags INTERFACE
        -fsanitize=${RELAY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -O1
        # Opens a pipe for each check, and takes its want of descriptors for a broken object.
        -fno-sanitize=vptr
        # gcc 12 sees uninitialised members of std::variant through the checks that it adds itself.
        $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
    target_link_options(relay_build_flags INTERFACE -fsanitize=${RELAY_SANITIZE})
endif()

include(CheckPIESupported)
check_pie_supported()

# A fast linker and a compiler cache, where they are installed. Link-time optimisation needs gcc's own linker.
if(NOT RELAY_LTO)
    include(CheckLinkerFlag)
    check_linker_flag(CXX -fuse-ld=mold RELAY_HAS_MOLD)
    if(RELAY_HAS_MOLD)
        target_link_options(relay_build_flags INTERFACE -fuse-ld=mold)
    endif()
endif()
find_program(RELAY_CCACHE ccache)
if(RELAY_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${RELAY_CCACHE})
endif()

# relay_layer(<name> [MOC] SOURCES ... [DEPENDS <lower layers>] [LIBRARIES ...] [PRIVATE_LIBRARIES ...])
#
# One static library per folder of lib/. MOC: it declares QObjects. DEPENDS is the layer diagram of lib/README.md; tests/layers
# holds the #include lines to it.
function(relay_layer name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "MOC" "" "SOURCES;DEPENDS;LIBRARIES;PRIVATE_LIBRARIES")
    add_library(relay_${name} STATIC ${arg_SOURCES})
    add_library(Relay::${name} ALIAS relay_${name})
    set_target_properties(relay_${name} PROPERTIES EXPORT_NAME ${name} AUTOMOC ${arg_MOC})
    target_compile_features(relay_${name} PUBLIC cxx_std_20)
    target_include_directories(relay_${name} PUBLIC
        $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/lib>
        $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated>
        $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/relay>)
    list(TRANSFORM arg_DEPENDS PREPEND relay_)
    target_link_libraries(relay_${name}
        PUBLIC ${arg_DEPENDS} ${arg_LIBRARIES}
        PRIVATE $<BUILD_INTERFACE:relay_build_flags> ${arg_PRIVATE_LIBRARIES})
    set_property(GLOBAL APPEND PROPERTY RELAY_LAYERS ${name})
endfunction()

# relay_program(<name> [MOC] SOURCES ... LIBRARIES ...)
function(relay_program name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "MOC" "" "SOURCES;LIBRARIES")
    add_executable(${name} ${arg_SOURCES})
    set_target_properties(${name} PROPERTIES AUTOMOC ${arg_MOC})
    target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} relay_build_flags)
    install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# relay_test(<layer> <name> [SOURCES ...] LIBRARIES ... [LABELS ...] [TIMEOUT seconds])
#
# Adds tests/<layer>/tst_<name>.cpp to the program tests_<layer>, which holds all of the layer's test classes. ctest runs the
# class in a process of its own, as <layer>.<name>. The label "threads" is for what the thread sanitizer has to see; the
# target thread_tests builds the programs that have such classes.
add_custom_target(thread_tests)
function(relay_test layer name)
    cmake_parse_arguments(PARSE_ARGV 2 arg "" "TIMEOUT" "SOURCES;LIBRARIES;LABELS")
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 120)
    endif()
    set(program tests_${layer})
    if(NOT TARGET ${program})
        add_executable(${program})
        set_target_properties(${program} PROPERTIES AUTOMOC ON)
        target_link_libraries(${program} PRIVATE relay_test_main Qt6::Test relay_build_flags)
    endif()
    target_sources(${program} PRIVATE tst_${name}.cpp ${arg_SOURCES})
    target_link_libraries(${program} PRIVATE ${arg_LIBRARIES})
    add_test(NAME ${layer}.${name} COMMAND ${program} ${name})
    if(threads IN_LIST arg_LABELS)
        add_dependencies(thread_tests ${program})
    endif()
    set_tests_properties(${layer}.${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${layer};${arg_LABELS}")
endfunction()
