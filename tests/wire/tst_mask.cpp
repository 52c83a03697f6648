#include "wire/mask.h"

#include "client_frames.h"
#include "support/test_main.h"

#include <QTest>

using namespace relay;
using namespace relay::test;

/// The fast XOR gives what the obvious one gives.
class TestMask : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyLengthAndPhase();
    void inPlace();
};

// Blocks, words and single bytes meet at every length; a frame that arrives in pieces starts at
// every phase.
void TestMask::everyLengthAndPhase()
{
    const QByteArray whole = masked(patterned(300));
    for (qsizetype offset = 0; offset < 9; ++offset) {
        for (qsizetype bytes = 0; offset + bytes <= whole.size(); ++bytes) {
            QByteArray out(bytes + 1, '#');
            unmask(out.data(), asSpan(QByteArrayView(whole).sliced(offset, bytes)), kMask,
                   static_cast<quint64>(offset));
            QCOMPARE(out.first(bytes), patterned(300).sliced(offset, bytes));
            QCOMPARE(out.back(), '#'); // nothing is written past the end
        }
    }
}

void TestMask::inPlace()
{
    QByteArray bytes = masked(patterned(1000));
    unmask(bytes.data(), asSpan(bytes), kMask);
    QCOMPARE(bytes, patterned(1000));
}

RELAY_TEST(TestMask)
#include "tst_mask.moc"
