#include "metrics/process_stats.h"

#include "support/test_main.h"

#include <QByteArray>
#include <QDateTime>
#include <QFile>
#include <QTest>

#include <sys/resource.h>

using namespace relay;

namespace {

constexpr ProcUnits kUnits{100, 4096, 1'700'000'000};

/// /proc/<pid>/stat as Linux 6.1 writes it, with this name in it.
QByteArray statWithName(const QByteArray &name)
{
    return "4711 (" + name
           + ") S 1 4711 4711 0 -1 4194560 2342 0 1 0 1250 350 7 8 20 0 9 0 123456 734003200 25600 "
             "18446744073709551615 1 1 0 0 0 0 0 4096 81922 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n";
}

} // namespace

/// What the process metrics are read from.
class TestProcessStats : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsTheFieldsByTheirNumbers_data();
    void readsTheFieldsByTheirNumbers();
    void refusesWhatIsNoStat_data();
    void refusesWhatIsNoStat();
    void seesItsOwnProcess();
    void countsADescriptorThatIsOpened();
};

void TestProcessStats::readsTheFieldsByTheirNumbers_data()
{
    QTest::addColumn<QByteArray>("name");
    QTest::newRow("plain") << QByteArray("relayd");
    QTest::newRow("blanks") << QByteArray("a b  c");
    QTest::newRow("parentheses") << QByteArray("a) R 1 (b");
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("line break") << QByteArray("a\nb");
}

/// The values are right whatever the program was named: a name may hold what parts the fields.
void TestProcessStats::readsTheFieldsByTheirNumbers()
{
    QFETCH(const QByteArray, name);
    const std::optional<ProcessStats> stats = parseProcStat(statWithName(name), kUnits);
    QVERIFY(stats);
    QCOMPARE(stats->cpuSeconds, 16.0);
    QCOMPARE(stats->startTimeSeconds, 1'700'001'234.56);
    QCOMPARE(stats->virtualBytes, 734003200.0);
    QCOMPARE(stats->residentBytes, 104857600.0);
    QCOMPARE(stats->openDescriptors, 0.0);
    QCOMPARE(stats->maxDescriptors, 0.0);
}

void TestProcessStats::refusesWhatIsNoStat_data()
{
    QTest::addColumn<QByteArray>("text");
    const QByteArray stat = statWithName("relayd");
    const qsizetype residentEnd = stat.indexOf(" 25600 ") + 1;
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("no name") << QByteArray("1 2 3");
    QTest::newRow("nothing after the name") << QByteArray("1 (a)");
    QTest::newRow("one field short") << stat.left(residentEnd);
    QTest::newRow("no number") << QByteArray(stat).replace("734003200", "x");
}

/// Half a text gives no numbers rather than wrong ones.
void TestProcessStats::refusesWhatIsNoStat()
{
    QFETCH(const QByteArray, text);
    QVERIFY(!parseProcStat(text, kUnits));
}

/// Against the real /proc: the numbers are of this process, in the units that their names say.
void TestProcessStats::seesItsOwnProcess()
{
    const std::optional<ProcessStats> stats = ProcessStatsReader().read();
    QVERIFY(stats);
    const auto now = static_cast<double>(QDateTime::currentSecsSinceEpoch());
    QVERIFY2(stats->startTimeSeconds <= now + 2 && stats->startTimeSeconds > now - 600,
             qPrintable(QString::number(stats->startTimeSeconds, 'f')));
    QVERIFY(stats->cpuSeconds >= 0 && stats->cpuSeconds < 600);
    QVERIFY(stats->residentBytes > 1e6 && stats->residentBytes < 1e10);
    QVERIFY(stats->virtualBytes > stats->residentBytes);
    rlimit limit = {};
    QCOMPARE(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    QCOMPARE(stats->maxDescriptors, static_cast<double>(limit.rlim_cur));
}

/// process_open_fds is the number of descriptors, without those of the reading itself.
void TestProcessStats::countsADescriptorThatIsOpened()
{
    const ProcessStatsReader reader;
    const std::optional<ProcessStats> before = reader.read();
    QFile file(QStringLiteral("/dev/null"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const std::optional<ProcessStats> during = reader.read();
    file.close();
    const std::optional<ProcessStats> after = reader.read();
    QVERIFY(before && during && after);
    QVERIFY(before->openDescriptors >= 3);
    QCOMPARE(during->openDescriptors, before->openDescriptors + 1);
    QCOMPARE(after->openDescriptors, before->openDescriptors);
}

RELAY_TEST(TestProcessStats)
#include "tst_process_stats.moc"
