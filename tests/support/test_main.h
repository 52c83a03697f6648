#pragma once

#include <QCoreApplication>
#include <QTest>

namespace relay::test {

/// Runs one test class with QTest's arguments; returns the number of failures, as QTest::qExec() does.
using TestRunner = int (*)(int argc, char **argv);

/// Adds a test class to its program, under the name of its file: "tst_outbox.cpp" is "outbox". Called before main().
bool registerTest(const char *file, TestRunner run);

/// Makes the application that the class needs, runs the class, destroys both.
template <typename Application, typename Test>
int runTest(int argc, char **argv)
{
    const Application application(argc, argv);
    Test test;
    return QTest::qExec(&test, argc, argv);
}

} // namespace relay::test

/// One test program holds all classes of a layer, and `program NAME [QTest arguments]` runs one of them in a process of
/// its own, as ctest does; without a name it runs all, one after the other.
#define RELAY_TEST(Test) RELAY_TEST_IN(QCoreApplication, Test)

/// The same with an application of the test's choice, constructed with (int &argc, char **argv).
#define RELAY_TEST_IN(Application, Test)                                                           \
    [[maybe_unused]] static const bool isRegistered##Test =                                        \
        relay::test::registerTest(__FILE__, relay::test::runTest<Application, Test>);
