#include "support/test_hub.h"
#include "support/test_main.h"

#include <QRegularExpression>
#include <QTest>

#include <sys/resource.h>

using relay::Hub;
using relay::HubOptions;
using relay::test::testOptions;

namespace {

/// The limit of open files for as long as this lives.
class OpenFiles
{
public:
    explicit OpenFiles(rlim_t files)
    {
        ::getrlimit(RLIMIT_NOFILE, &m_before);
        const rlimit lowered{files, m_before.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &lowered);
    }
    ~OpenFiles() { ::setrlimit(RLIMIT_NOFILE, &m_before); }
    Q_DISABLE_COPY_MOVE(OpenFiles)

private:
    rlimit m_before{};
};

constexpr rlim_t kFiles = 300;

int roomWith(const HubOptions &options)
{
    HubOptions all = options;
    all.limits.connections = 0;
    Hub hub(all);
    return hub.listen() ? hub.maxConnections() : 0;
}

} // namespace

/// limits.connections and what the limit of open files leaves of it.
class TestConnectionLimit : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void whatFitsIsInForce();
    void oneMoreThanFitsIsWarnedOf();
    void withoutALimitThereIsNoWarning();
};

// A limit that the open files allow is in force as it is, and nothing is said.
void TestConnectionLimit::whatFitsIsInForce()
{
    const OpenFiles files(kFiles);
    HubOptions options = testOptions();
    options.limits.connections = roomWith(options);
    QVERIFY(options.limits.connections > 0);
    QTest::failOnWarning(QRegularExpression(QStringLiteral("limits.connections")));
    Hub hub(options);
    QCOMPARE(hub.maxConnections(), 0);
    QVERIFY(hub.listen());
    QCOMPARE(hub.maxConnections(), options.limits.connections);
}

// With one more the operator is told both numbers and what to do, and fewer are served.
void TestConnectionLimit::oneMoreThanFitsIsWarnedOf()
{
    const OpenFiles files(kFiles);
    HubOptions options = testOptions();
    const int room = roomWith(options);
    options.limits.connections = room + 1;
    const QString warning =
        QStringLiteral("limits\\.connections is %1, but the limit of %2 open files leaves room for "
                       "%3 connections.*Raise the limit of open files to %4 .*LimitNOFILE")
            .arg(room + 1)
            .arg(kFiles)
            .arg(room)
            .arg(kFiles + 1);
    QTest::ignoreMessage(QtWarningMsg, QRegularExpression(warning));
    Hub hub(options);
    QVERIFY(hub.listen());
    QCOMPARE(hub.maxConnections(), room);
}

// 0 asks for no number: what there is room for is no surprise.
void TestConnectionLimit::withoutALimitThereIsNoWarning()
{
    const OpenFiles files(kFiles);
    QTest::failOnWarning(QRegularExpression(QStringLiteral("limits.connections")));
    QVERIFY(roomWith(testOptions()) > 0);
}

RELAY_TEST(TestConnectionLimit)
#include "tst_connection_limit.moc"
