#include "fake_source.h"
#include "gui/look/theme.h"
#include "gui/main_window.h"
#include "gui/pages/address_line.h"
#include "gui/pages/overview_page.h"
#include "gui/plots/plot_widget.h"
#include "gui/relay_view.h"
#include "gui/tables/row_view.h"
#include "scratch_settings.h"
#include "support/test_main.h"
#include "support/wait_for.h"
#include "widget_application.h"

#include <QApplication>
#include <QHeaderView>
#include <QScrollBar>
#include <QStandardItemModel>
#include <QTest>

#include <algorithm>
#include <utility>

using namespace relay;
using namespace relay::gui;
using relay::test::waitFor;
using Link = LinkState::Link;

/// The window as it is when it is opened for the first time.
class TestFirstSight : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void windowFitsTheScreen_data();
    void windowFitsTheScreen();
    void allColumnsFit();
    void neighbouringColumnsDoNotTouch();
    void plotsAreAligned();
    void emptyPagesSayHowToBegin();

private:
    const ScratchSettings m_settings;
};

namespace {

std::unique_ptr<FakeSource> busySource()
{
    auto source = std::make_unique<FakeSource>(3);
    source->channels = {ChannelRow()};
    source->channels[0].name = QStringLiteral("orders");
    return source;
}

/// The first and last x of the rectangle with dark text, on the light theme; -1: none.
std::pair<int, int> inkIn(const QImage &image, const QRect &place)
{
    std::pair<int, int> ink{-1, -1};
    for (int x = place.left(); x <= place.right(); ++x) {
        for (int y = place.top(); y <= place.bottom(); ++y) {
            if (image.pixelColor(x, y).lightness() < 128) {
                ink.first = ink.first < 0 ? x : ink.first;
                ink.second = x;
                break;
            }
        }
    }
    return ink;
}

} // namespace

void TestFirstSight::windowFitsTheScreen_data()
{
    QTest::addColumn<QSize>("screen");
    QTest::newRow("a small notebook") << QSize(1280, 800);
    QTest::newRow("the same at 150 %") << QSize(853, 533);
    QTest::newRow("a large screen") << QSize(3840, 2160);
}

/// Promise: the whole window is on the screen, with its frame.
void TestFirstSight::windowFitsTheScreen()
{
    QFETCH(QSize, screen);
    const QSize size = firstWindowSize(screen, QFontMetrics(QApplication::font()));
    QVERIFY(size.width() < screen.width());
    QVERIFY(size.height() < screen.height());
    QVERIFY(size.width() * 2 > std::min(1280, screen.width()));
}

/// Promise: on a usual screen every column of every table can be read, with its whole title.
void TestFirstSight::allColumnsFit()
{
    MainWindow window;
    window.resize(firstWindowSize({1280, 800}, window.fontMetrics()));
    window.watch(busySource());
    window.show();
    int tables = 0;
    for (int page = 0; page < window.view()->pageCount(); ++page) {
        window.view()->showPage(page);
        for (const QTableView *table : window.findChildren<QTableView *>()) {
            if (!table->isVisible()) {
                continue;
            }
            ++tables;
            const QHeaderView &header = *table->horizontalHeader();
            QVERIFY2(table->horizontalScrollBar()->maximum() == 0,
                     qPrintable(QStringLiteral("page %1: columns %2, view %3, hint %4")
                                    .arg(page)
                                    .arg(header.length())
                                    .arg(table->viewport()->width())
                                    .arg(table->sizeHint().width())));
            for (int column = 0; column < header.count(); ++column) {
                const QString title =
                    table->model()->headerData(column, Qt::Horizontal, Qt::DisplayRole).toString();
                QVERIFY2(table->isColumnHidden(column)
                             || header.sectionSize(column) >= header.sectionSizeHint(column),
                         qPrintable(title));
            }
        }
    }
    QCOMPARE(tables, 4); // clients, channels, messages, events
}

/// Promise: a number at the right of its column and a text at the left of the next do not read as one value; neither do
/// their titles.
void TestFirstSight::neighbouringColumnsDoNotTouch()
{
    applyTheme(*qApp, Theme::Light);
    QStandardItemModel model(1, 2);
    model.setHorizontalHeaderLabels({QStringLiteral("Number"), QStringLiteral("Text")});
    model.setData(model.index(0, 0), QStringLiteral("88888"));
    model.setData(model.index(0, 0), Qt::AlignRight, Qt::TextAlignmentRole);
    model.setData(model.index(0, 1), QStringLiteral("88888"));
    model.setHeaderData(0, Qt::Horizontal, Qt::AlignRight, Qt::TextAlignmentRole);
    model.setHeaderData(1, Qt::Horizontal, Qt::AlignLeft, Qt::TextAlignmentRole);
    const std::unique_ptr<QTableView> view(makeRowView(model, {12, 12}));
    view->resize(400, 200);
    view->show();
    const QImage cells = view->viewport()->grab().toImage();
    constexpr int kRoom = 10;
    const auto gap = [](const QImage &image, const QRect &left, const QRect &right) {
        return inkIn(image, right).first - inkIn(image, left).second;
    };
    const int cellRoom =
        gap(cells, view->visualRect(model.index(0, 0)), view->visualRect(model.index(0, 1)));
    QVERIFY2(cellRoom >= kRoom && cellRoom < 3 * kRoom, qPrintable(QString::number(cellRoom)));

    const QHeaderView &header = *view->horizontalHeader();
    const QImage titles = view->horizontalHeader()->viewport()->grab().toImage();
    // Without the lines between and below the titles.
    const auto section = [&](int column) {
        return QRect(header.sectionPosition(column), 0, header.sectionSize(column), header.height())
            .adjusted(3, 4, -3, -4);
    };
    const int room = gap(titles, section(0), section(1));
    QVERIFY2(room >= kRoom && room < 3 * kRoom, qPrintable(QString::number(room)));
}

/// Promise: the eye compares neighbouring plots, whatever their scales and legends are.
void TestFirstSight::plotsAreAligned()
{
    FakeSource source;
    OverviewPage page(source);
    page.resize(1000, 700);
    page.show();
    Overview overview;
    overview.clients = 7;
    overview.messagesPerSecond = 12'345;
    overview.deliveriesPerSecond = 3'400'000;
    overview.latencyP99 = 0.000321;
    for (const bool hasData : {false, true}) {
        if (hasData) {
            Q_EMIT source.linkChanged({Link::Live, QDateTime::currentDateTime(), {}, {}});
            Q_EMIT source.overviewChanged(overview);
        }
        const auto plots = page.findChildren<PlotWidget *>();
        QCOMPARE(plots.size(), 4);
        for (const PlotWidget *plot : plots) {
            QCOMPARE(plot->plotArea().top(), plots.first()->plotArea().top());
            QCOMPARE(plot->plotArea().left(), plots.first()->plotArea().left());
            QCOMPARE(plot->size(), plots.first()->size());
        }
    }
}

/// Promise: who opens the window of a relay without clients reads where to connect, on each page, until there is
/// something else to see.
void TestFirstSight::emptyPagesSayHowToBegin()
{
    auto made = std::make_unique<FakeSource>();
    FakeSource &source = *made;
    source.messagesAt = QUrl(QStringLiteral("http://127.0.0.1:8443/"));
    MainWindow window;
    window.watch(std::move(made));
    window.show();
    const auto shows = [&](const QString &text) {
        const auto labels = window.findChildren<QLabel *>();
        return std::any_of(labels.begin(), labels.end(), [&](const QLabel *label) {
            return label->isVisible() && label->text().contains(text);
        });
    };
    window.view()->showPage(3);
    QVERIFY(shows(QStringLiteral("They appear here when clients connect")));
    Q_EMIT source.linkChanged({Link::Live, QDateTime::currentDateTime(), {}, {}});
    QVERIFY(!shows(QStringLiteral("They appear here when clients connect"))); // this is an event
    Q_EMIT source.overviewChanged(Overview());
    const QString hint = QStringLiteral(
        "Connect to ws://127.0.0.1:8443/, or open http://127.0.0.1:8443/ in a browser.");
    for (const int page : {0, 1, 2}) {
        window.view()->showPage(page);
        QVERIFY2(waitFor([&] { return shows(hint); }), qPrintable(QString::number(page)));
    }
    source.clients = FakeSource(2).clients;
    Overview overview;
    overview.clients = 2;
    Q_EMIT source.overviewChanged(overview);
    window.view()->showPage(0);
    QVERIFY(!shows(hint));
    QVERIFY(shows(QStringLiteral("Clients connect to ws://127.0.0.1:8443/")));
    window.view()->showPage(1);
    QVERIFY(waitFor([&] { return !shows(hint); }));
}

RELAY_TEST_IN(relay::test::WidgetApplication, TestFirstSight)
#include "tst_first_sight.moc"
