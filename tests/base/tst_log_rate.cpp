#include "base/log_rate.h"

#include "support/test_main.h"

#include <QTest>

#include <string>

using namespace relay;
using namespace std::chrono_literals;

namespace {

const QByteArray kHub = "relay.hub";
const QByteArray kOps = "relay.ops";
const TimePoint kStart{1000s};

int admitted(LogRate &rate,
             int lines,
             TimePoint now,
             const QByteArray &category = kHub,
             QtMsgType type = QtInfoMsg)
{
    int count = 0;
    for (int i = 0; i < lines; ++i) {
        count += rate.admits(category, type, now) ? 1 : 0;
    }
    return count;
}

/// "relay.hub 0: 12" for each.
QStringList told(LogRate &rate, TimePoint now)
{
    QStringList all;
    for (const LogRate::LeftOut &leftOut : rate.takeLeftOut(now)) {
        all.append(
            QStringLiteral("%1 %2").arg(QString::fromUtf8(leftOut.category)).arg(leftOut.lines));
    }
    return all;
}

} // namespace

/// How many lines a second are written.
class TestLogRate : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void limitIsExact();
    void aNewSecondHasTheWholeLimitAgain();
    void categoriesAndLevelsAreCountedApart();
    void whatWasLeftOutIsToldOnceItsSecondIsOver();
    void withoutALimitNothingIsLeftOut();
};

/// As many lines as the limit says are written, and not one more.
void TestLogRate::limitIsExact()
{
    LogRate rate(3);
    QCOMPARE(admitted(rate, 3, kStart), 3);
    QVERIFY(!rate.hasLeftOut());
    QCOMPARE(admitted(rate, 1, kStart), 0);
    QVERIFY(rate.hasLeftOut());
}

void TestLogRate::aNewSecondHasTheWholeLimitAgain()
{
    LogRate rate(3);
    QCOMPARE(admitted(rate, 5, kStart), 3);
    QCOMPARE(admitted(rate, 5, kStart + 1s - 1ns), 0);
    QCOMPARE(admitted(rate, 5, kStart + 1s), 3);
}

/// A flood of connects does not hide a warning, nor another category's lines.
void TestLogRate::categoriesAndLevelsAreCountedApart()
{
    LogRate rate(2);
    QCOMPARE(admitted(rate, 100, kStart), 2);
    QCOMPARE(admitted(rate, 3, kStart, kHub, QtWarningMsg), 2);
    QCOMPARE(admitted(rate, 3, kStart, kOps), 2);
}

/// Every line that was left out is reported exactly once, when its second is over, or at the end.
void TestLogRate::whatWasLeftOutIsToldOnceItsSecondIsOver()
{
    LogRate rate(1);
    QCOMPARE(admitted(rate, 5, kStart), 1);
    QCOMPARE(admitted(rate, 3, kStart, kOps), 1);
    QCOMPARE(told(rate, kStart + 1s - 1ns), QStringList());
    QCOMPARE(admitted(rate, 7, kStart + 1s), 1); // a window later, before the first was reported
    QCOMPARE(told(rate, kStart + 1s),
             QStringList({QStringLiteral("relay.hub 4"), QStringLiteral("relay.ops 2")}));
    QCOMPARE(told(rate, kStart + 1s), QStringList());
    QVERIFY(rate.hasLeftOut());
    QCOMPARE(told(rate, TimePoint::max()), QStringList({QStringLiteral("relay.hub 6")}));
    QVERIFY(!rate.hasLeftOut());
}

/// logging.rate: 0.
void TestLogRate::withoutALimitNothingIsLeftOut()
{
    LogRate rate(0);
    QCOMPARE(admitted(rate, 100'000, kStart), 100'000);
    QVERIFY(!rate.hasLeftOut());
}

RELAY_TEST(TestLogRate)
#include "tst_log_rate.moc"
