#include "gui/look/theme.h"
#include "relayd_process.h"
#include "support/test_main.h"
#include "support/wait_for.h"
#include "support/web_client.h"
#include "widget_application.h"
#include "x_display.h"

#include <QDir>
#include <QFile>
#include <QProcess>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>

using namespace relay;
using namespace relay::gui;
using relay::test::waitFor;
using relay::test::WebClient;

/// relay-dashboard as its user starts it: a process, in front of an X server.
class TestDashboardProgram : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // Without a display
    void textsNeedNoDisplay_data();
    void textsNeedNoDisplay();

    // With one
    void startsWithTheQuestionWhichRelay();
    void showsThatTheRelayGoesAndComesBack();
    void runsARelayOfItsOwn();
};

namespace {

/// The program, with settings of its own. Killed at the end of its scope.
class Dashboard
{
public:
    /// `display`: empty: none.
    explicit Dashboard(const QString &display)
    {
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        for (const char *name : {"QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"}) {
            environment.remove(QString::fromLatin1(name));
        }
        environment.insert(QStringLiteral("XDG_CONFIG_HOME"), m_home.path());
        environment.insert(QStringLiteral("XDG_RUNTIME_DIR"), m_home.path());
        // No desktop session is asked for its wishes.
        environment.insert(QStringLiteral("DBUS_SESSION_BUS_ADDRESS"), QStringLiteral("disabled:"));
        if (!display.isEmpty()) {
            environment.insert(QStringLiteral("DISPLAY"), display);
            environment.insert(QStringLiteral("QT_QPA_PLATFORM"), QStringLiteral("xcb"));
        }
        m_process.setProcessEnvironment(environment);
    }
    ~Dashboard()
    {
        m_process.kill();
        m_process.waitForFinished();
    }
    Dashboard(const Dashboard &) = delete;
    Dashboard &operator=(const Dashboard &) = delete;

    /// Starts it with settings of this text.
    void start(const QStringList &arguments, const QByteArray &settings = {})
    {
        if (!settings.isEmpty()) {
            QFile file(settingsFile());
            if (!QDir().mkpath(QFileInfo(file).path()) || !file.open(QIODevice::WriteOnly)) {
                qFatal("no temporary file");
            }
            file.write(settings);
        }
        m_process.start(QStringLiteral(DASHBOARD_PROGRAM), arguments);
    }
    [[nodiscard]] bool isRunning() const { return m_process.state() != QProcess::NotRunning; }
    [[nodiscard]] bool waitForEnd() const
    {
        return waitFor([this] { return m_process.state() == QProcess::NotRunning; });
    }
    /// Of a process that ended by itself, neither killed nor crashed; -1 else.
    [[nodiscard]] int status() const
    {
        return m_process.exitStatus() == QProcess::NormalExit ? m_process.exitCode() : -1;
    }
    [[nodiscard]] QString out() { return QString::fromUtf8(m_process.readAllStandardOutput()); }
    [[nodiscard]] QString err() { return QString::fromUtf8(m_process.readAllStandardError()); }
    [[nodiscard]] QString settingsFile() const
    {
        return m_home.filePath(QStringLiteral("relay/relay-dashboard.conf"));
    }

private:
    QTemporaryDir m_home;
    QProcess m_process;
};

constexpr auto kLightOverview = "[window]\npage=0\ntheme=light\n";

/// The part of the picture that has exactly this colour; text has it inside its strokes.
QRect placeOf(const QColor &colour, const QImage &picture)
{
    QRect place;
    for (int y = 0; y < picture.height(); ++y) {
        for (int x = 0; x < picture.width(); ++x) {
            if (picture.pixel(x, y) == colour.rgb()) {
                place |= QRect(x, y, 1, 1);
            }
        }
    }
    return place;
}

/// The colours that say how the relay does, on the light theme.
QColor colourFor(Meaning meaning)
{
    return colourOf(meaning, QPalette(Qt::white));
}

} // namespace

void TestDashboardProgram::textsNeedNoDisplay_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("status");
    QTest::addColumn<QString>("out");
    QTest::addColumn<QString>("err");
    const auto row = [](const char *arguments, int status, const char *out, const char *err) {
        QTest::newRow(arguments) << QString::fromLatin1(arguments).split(QLatin1Char(' ')) << status
                                 << QString::fromLatin1(out) << QString::fromLatin1(err);
    };
    row("--help", 0, "Usage: ", "");
    row("-h", 0, "Usage: ", "");
    row("--version", 0, "relay-dashboard ", "");
    row("-v", 0, "relay-dashboard ", "");
    row("-style fusion --version", 0, "relay-dashboard ", "");
    row("--unknown", 2, "", "relay-dashboard: Unknown option 'unknown'");
    row("--url", 2, "", "relay-dashboard: Missing value after '--url'");
    row("--url http://127.0.0.1:1 --embed", 2, "", "relay-dashboard: --url and --embed");
    // Qt's own options are Qt's, before and behind the others; and with them there is a display.
    row("--unknown -platform offscreen", 2, "", "relay-dashboard: Unknown option 'unknown'");
    row("-platform offscreen --url ftp://127.0.0.1", 1, "",
        "relay-dashboard: \"ftp://127.0.0.1\" is not the address");
    row("--url http://127.0.0.1:1 --token-file absent --platform offscreen", 1, "",
        "cannot read absent");
    row("--embed absent.yaml -platform offscreen -style fusion", 1, "",
        "absent.yaml: there is no such file");
}

/// Promise: who asks for help, or has mistyped, on a server without a screen is answered.
void TestDashboardProgram::textsNeedNoDisplay()
{
    QFETCH(QStringList, arguments);
    QFETCH(int, status);
    QFETCH(QString, out);
    QFETCH(QString, err);
    Dashboard dashboard({});
    dashboard.start(arguments);
    QVERIFY(dashboard.waitForEnd());
    const QString said = dashboard.err();
    QVERIFY2(said.contains(err), qPrintable(said));
    QCOMPARE(said.isEmpty(), err.isEmpty());
    QCOMPARE(dashboard.status(), status);
    const QString printed = dashboard.out();
    QVERIFY2(printed.contains(out), qPrintable(printed));
    QCOMPARE(printed.isEmpty(), out.isEmpty());
}

/// Promise: without arguments it asks; closing the window ends it in good order, its place kept.
void TestDashboardProgram::startsWithTheQuestionWhichRelay()
{
    const XDisplay display;
    QVERIFY2(display.isRunning(), "Xvfb does not run: is it installed?");
    Dashboard dashboard(display.name());
    dashboard.start({});
    XDisplay::Window window = XDisplay::kNone;
    QVERIFY2(waitFor([&] {
                 window = display.shownWindow(QStringLiteral("Relay"));
                 return window != XDisplay::kNone || !dashboard.isRunning();
             }) && dashboard.isRunning(),
             qPrintable(dashboard.err()));
    QCOMPARE(display.title(window), QStringLiteral("Relay"));
    display.askToClose(window);
    QVERIFY(dashboard.waitForEnd());
    QCOMPARE(dashboard.status(), 0);
    QFile settings(dashboard.settingsFile());
    QVERIFY(settings.open(QIODevice::ReadOnly));
    QVERIFY(settings.readAll().contains("geometry="));
}

/// Promise: an operator who leaves the window open sees a relay that dies as gone, and its successor
/// as live, without a hand on anything.
void TestDashboardProgram::showsThatTheRelayGoesAndComesBack()
{
    const XDisplay display;
    QVERIFY2(display.isRunning(), "Xvfb does not run: is it installed?");
    RelaydProcess relayd;
    QVERIFY2(relayd.start(), qPrintable(relayd.log()));
    const QString url = relayd.opsUrl().toString();
    Dashboard dashboard(display.name());
    dashboard.start({QStringLiteral("--url"), url}, kLightOverview);
    XDisplay::Window window = XDisplay::kNone;
    QVERIFY2(waitFor([&] {
                 window = display.shownWindow(url);
                 return window != XDisplay::kNone || !dashboard.isRunning();
             }) && dashboard.isRunning(),
             qPrintable(dashboard.err()));
    // Nothing but the health line's dot has that colour.
    QRect dot;
    QVERIFY(waitFor([&] {
        dot = placeOf(colourFor(Meaning::Good), display.picture(window));
        return !dot.isEmpty();
    }));
    const auto dotTurns = [&](Meaning meaning) {
        return waitFor([&] {
            return !placeOf(colourFor(meaning), display.picture(window).copy(dot)).isEmpty();
        });
    };
    relayd.kill();
    QVERIFY(dotTurns(Meaning::Bad));
    QVERIFY2(relayd.start(), qPrintable(relayd.log()));
    QCOMPARE(relayd.opsUrl().toString(), url);
    QVERIFY(dotTurns(Meaning::Good));
    display.askToClose(window);
    QVERIFY(dashboard.waitForEnd());
    QCOMPARE(dashboard.status(), 0);
}

/// Promise: --embed is a relay that clients can join, and it ends with its window.
void TestDashboardProgram::runsARelayOfItsOwn()
{
    const XDisplay display;
    QVERIFY2(display.isRunning(), "Xvfb does not run: is it installed?");
    const QTemporaryDir folder;
    QFile config(folder.filePath(QStringLiteral("relay.yaml")));
    QVERIFY(config.open(QIODevice::WriteOnly));
    config.write("server:\n  port: 0\nmetrics:\n  port: 0\n");
    config.close();
    Dashboard dashboard(display.name());
    dashboard.start({QStringLiteral("--embed"), config.fileName()});
    XDisplay::Window window = XDisplay::kNone;
    QVERIFY2(waitFor([&] {
                 window = display.shownWindow(QStringLiteral("ws://127.0.0.1:"));
                 return window != XDisplay::kNone || !dashboard.isRunning();
             }) && dashboard.isRunning(),
             qPrintable(dashboard.err()));
    const QRegularExpression address(QStringLiteral("ws://[^ ]+"));
    WebClient client(QUrl(address.match(display.title(window)).captured()));
    QVERIFY(client.waitUntilConnected());
    client.sendText("hello");
    QVERIFY(client.waitForMessages(1));
    display.askToClose(window);
    QVERIFY(client.waitUntilEnded());
    QVERIFY(dashboard.waitForEnd());
    QCOMPARE(dashboard.status(), 0);
}

RELAY_TEST_IN(relay::test::WidgetApplication, TestDashboardProgram)
#include "tst_dashboard_program.moc"
