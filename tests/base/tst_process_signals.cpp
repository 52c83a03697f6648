#include "base/process_signals.h"

#include "support/test_main.h"
#include "support/wait_for.h"

#include <QTest>

#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <set>
#include <vector>

using namespace relay;

namespace {

using Request = ProcessSignals::Request;

/// Installs the handlers for its lifetime, and notes what they are told.
class Recorder
{
public:
    Recorder()
        : m_signals(
            [this](int number, Request request) { m_requests.emplace_back(number, request); })
        , m_isInstalled(m_signals.install())
    {}

    [[nodiscard]] bool isInstalled() const { return m_isInstalled; }

    /// Sends the signals and waits for what follows from them. SIGUSR2, which is reported each time, marks their end.
    std::vector<std::pair<int, Request>> send(std::initializer_list<int> numbers)
    {
        m_requests.clear();
        for (const int number : numbers) {
            ::kill(::getpid(), number);
        }
        ::kill(::getpid(), SIGUSR2);
        if (!test::waitFor(
                [&] { return !m_requests.empty() && m_requests.back().first == SIGUSR2; })) {
            return {};
        }
        m_requests.pop_back();
        return m_requests;
    }

private:
    std::vector<std::pair<int, Request>> m_requests;
    ProcessSignals m_signals;
    bool m_isInstalled;
};

void (*handlerOf(int number))(int)
{
    struct sigaction action
    {};
    sigaction(number, nullptr, &action);
    return action.sa_handler;
}

void foreignHandler(int) {}

using Requests = std::vector<std::pair<int, Request>>;

} // namespace

/// No signal ends the process without a word to its clients.
class TestProcessSignals : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void noSignalKeepsADefaultThatKills();
    void signalsAskForWhatTheyMean_data();
    void signalsAskForWhatTheyMean();
    void aSecondRequestMeansItOnlyIfAnOperatorMakesIt_data();
    void aSecondRequestMeansItOnlyIfAnOperatorMakesIt();
    void theSameRequestTwiceEndsAHungProcess();
    void whatWasIgnoredStaysIgnored();
    void whatSomebodyHandlesStaysTheirs();
    void aBrokenPipeIsAnErrorOfItsWrite();
    void theEndGivesEverythingBack();
};

/// As in a program: QTest handles some of them itself.
void TestProcessSignals::init()
{
    for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM}) {
        std::signal(number, SIG_DFL);
    }
}

/// Whatever arrives: only what cannot be caught, what asks for a core dump, and what does not end a process anyway is left
/// to the system.
void TestProcessSignals::noSignalKeepsADefaultThatKills()
{
    const std::set<int> uncatchable{SIGKILL, SIGSTOP};
    const std::set<int> coreDumps{SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};
    const std::set<int> harmless{SIGCHLD, SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH};
    const Recorder recorder;
    QVERIFY(recorder.isInstalled());
    for (int number = 1; number <= SIGRTMAX; ++number) {
        const bool isOfTheLibrary = number > SIGSYS && number < SIGRTMIN; // glibc's own
        if (!uncatchable.contains(number) && !coreDumps.contains(number)
            && !harmless.contains(number) && !isOfTheLibrary)
        {
            QVERIFY2(handlerOf(number) != SIG_DFL, qPrintable(signalName(number)));
        }
    }
}

void TestProcessSignals::signalsAskForWhatTheyMean_data()
{
    QTest::addColumn<int>("number");
    QTest::addColumn<int>("request");
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU, SIGPWR}) {
        QTest::addRow("%s", qPrintable(signalName(number))) << number << int(Request::End);
    }
    for (const int number : {SIGUSR1, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGRTMIN, SIGRTMAX}) {
        QTest::addRow("%s", qPrintable(signalName(number))) << number << int(Request::Nothing);
    }
}

void TestProcessSignals::signalsAskForWhatTheyMean()
{
    QFETCH(const int, number);
    QFETCH(const int, request);
    Recorder recorder;
    QVERIFY(recorder.isInstalled());
    QCOMPARE(recorder.send({number}), Requests({{number, Request(request)}}));
}

void TestProcessSignals::aSecondRequestMeansItOnlyIfAnOperatorMakesIt_data()
{
    QTest::addColumn<int>("first");
    QTest::addColumn<int>("second");
    QTest::addColumn<bool>("isMeant");
    const auto row = [](int first, int second, bool isMeant) {
        QTest::addRow("%s, %s", qPrintable(signalName(first)), qPrintable(signalName(second)))
            << first << second << isMeant;
    };
    row(SIGINT, SIGTERM, true);
    row(SIGTERM, SIGINT, true);
    row(SIGHUP, SIGHUP, false);  // a closed terminal: from the kernel and from the shell
    row(SIGTERM, SIGHUP, false); // systemd's SendSIGHUP
    row(SIGHUP, SIGTERM, false);
    row(SIGQUIT, SIGQUIT, false);
    row(SIGXCPU, SIGXCPU, false); // each second
}

/// Two Ctrl+C, or a service manager's SIGTERM after one, end faster; what arrives by itself does not.
void TestProcessSignals::aSecondRequestMeansItOnlyIfAnOperatorMakesIt()
{
    QFETCH(const int, first);
    QFETCH(const int, second);
    QFETCH(const bool, isMeant);
    Recorder recorder;
    QVERIFY(recorder.isInstalled());
    QCOMPARE(recorder.send({first}), Requests({{first, Request::End}}));
    QCOMPARE(recorder.send({second}), isMeant ? Requests({{second, Request::EndNow}}) : Requests());
}

/// If the event loop hangs, nobody reads what the handler says: so it serves SIGINT and SIGTERM once.
void TestProcessSignals::theSameRequestTwiceEndsAHungProcess()
{
    Recorder recorder;
    QVERIFY(recorder.isInstalled());
    for (const int number : {SIGINT, SIGTERM}) {
        QVERIFY(handlerOf(number) != SIG_DFL);
        QCOMPARE(recorder.send({number}).size(), 1U);
        QVERIFY(handlerOf(number) == SIG_DFL);
    }
}

/// nohup ignores SIGHUP for the program that it starts.
void TestProcessSignals::whatWasIgnoredStaysIgnored()
{
    const auto before = std::signal(SIGHUP, SIG_IGN);
    {
        Recorder recorder;
        QVERIFY(recorder.isInstalled());
        QCOMPARE(recorder.send({SIGHUP}), Requests());
    }
    QVERIFY(handlerOf(SIGHUP) == SIG_IGN);
    std::signal(SIGHUP, before);
}

/// A profiler that was loaded first keeps its signal.
void TestProcessSignals::whatSomebodyHandlesStaysTheirs()
{
    const auto before = std::signal(SIGPROF, foreignHandler);
    {
        const Recorder recorder;
        QVERIFY(recorder.isInstalled());
        QVERIFY(handlerOf(SIGPROF) == foreignHandler);
    }
    QVERIFY(handlerOf(SIGPROF) == foreignHandler);
    std::signal(SIGPROF, before);
}

void TestProcessSignals::aBrokenPipeIsAnErrorOfItsWrite()
{
    const Recorder recorder;
    QVERIFY(recorder.isInstalled());
    std::array<int, 2> ends{};
    QCOMPARE(::pipe(ends.data()), 0);
    ::close(ends[0]);
    errno = 0;
    QCOMPARE(::write(ends[1], "x", 1), ssize_t{-1});
    QCOMPARE(errno, EPIPE);
    ::close(ends[1]);
}

void TestProcessSignals::theEndGivesEverythingBack()
{
    {
        Recorder recorder;
        QVERIFY(recorder.isInstalled());
        (void)recorder.send({SIGTERM});
    }
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE, SIGRTMIN}) {
        QVERIFY2(handlerOf(number) == SIG_DFL, qPrintable(signalName(number)));
    }
}

RELAY_TEST(TestProcessSignals)
#include "tst_process_signals.moc"
