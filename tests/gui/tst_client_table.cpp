#include "fake_source.h"
#include "gui/pages/channels_page.h"
#include "gui/pages/clients_page.h"
#include "gui/tables/client_table_model.h"
#include "gui/tables/table_pane.h"
#include "support/test_main.h"
#include "support/wait_for.h"
#include "widget_application.h"

#include <QAbstractItemModelTester>
#include <QJsonDocument>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTest>

#include <limits>

using namespace relay;
using namespace relay::gui;
using relay::test::waitFor;

namespace {

constexpr int kMany = 20'000;

/// A page that shows twenty thousand clients.
struct ManyClients
{
    ManyClients()
    {
        clientsPage.resize(1000, 700);
        clientsPage.show();
    }
    /// Laid out, too.
    [[nodiscard]] bool areShown() const
    {
        return waitFor([this] { return bar.maximum() > kMany / 2; });
    }
    [[nodiscard]] ClientTableModel &model() const
    {
        return static_cast<ClientTableModel &>(*view.model());
    }

    FakeSource source{kMany};
    ClientsPage clientsPage{source};
    QTableView &view = clientsPage.table().view();
    QScrollBar &bar = *view.verticalScrollBar();
};

} // namespace

/// The table of clients, of which only a window is held.
class TestClientTable : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void modelKeepsQtsRulesWhileItGrowsAndShrinks();
    void sortAndFilterAreAskedOfTheRelay();
    void scrollingMovesTheWindow();
    void aTableThatHasShrunkIsFollowed();
    void selectionFollowsTheClient();
    void aClientThatWentIsSaidToBeGone();
    void selectionOutlivesItsRow();
    void aPageMayGoWhileItIsScrolledAndSeen();
    void numbersThatNoRelayHasAreNotBelieved();

    // Twenty thousand clients
    void scrollingThroughAllFetchesWindows();
    void sortAndFilterFetchOneWindow();
    void costOfAPage();
    void costOfRowsThatCome();
    void costOfSorting_data();
    void costOfSorting();
};

namespace {

Page<ClientRow> page(const FakeSource &source, const TableQuery &query)
{
    return std::get<Page<ClientRow>>(pageOf(source.clients, query));
}

} // namespace

/// Promise: whatever comes, the views are told of it as Qt demands.
void TestClientTable::modelKeepsQtsRulesWhileItGrowsAndShrinks()
{
    ClientTableModel model;
    const QAbstractItemModelTester tester(&model,
                                          QAbstractItemModelTester::FailureReportingMode::QtTest);
    for (const int count : {0, 1, 500, 499, 20, 0, 3}) {
        model.setPage(page(FakeSource(count), model.query()));
        QCOMPARE(model.rowCount(), count);
    }
    QCOMPARE(model.index(2, 0).data().toString(), QStringLiteral("3"));
}

/// Promise: the relay sorts and filters, all of its rows; not this program those that it holds.
void TestClientTable::sortAndFilterAreAskedOfTheRelay()
{
    ClientTableModel model;
    const QSignalSpy wanted(&model, &PagedTableModel::wanted);
    model.sort(0, Qt::DescendingOrder);
    QCOMPARE(model.query().sort, QByteArray("id"));
    QVERIFY(model.query().isDescending);
    model.sort(0, Qt::DescendingOrder); // nothing else
    model.setFilter(QStringLiteral("chat"));
    model.setFilter(QStringLiteral("chat"));
    QCOMPARE(model.query().filter, QStringLiteral("chat"));
    QCOMPARE(wanted.size(), 2);
    // Every column can be sorted by, and the relay knows its name.
    const FakeSource source(3);
    for (int column = 0; column < model.columnCount(); ++column) {
        model.sort(column, Qt::AscendingOrder);
        QVERIFY(std::holds_alternative<Page<ClientRow>>(pageOf(source.clients, model.query())));
    }
}

/// Promise: rows that are seen are fetched, and no more than a window of them.
void TestClientTable::scrollingMovesTheWindow()
{
    const FakeSource source(5000);
    ClientTableModel model;
    const QSignalSpy wanted(&model, &PagedTableModel::wanted);
    model.setPage(page(source, model.query()));
    model.showRows(0, PagedTableModel::kWindowRows - 1); // the last that is held
    QCOMPARE(wanted.size(), 0);
    model.showRows(1, PagedTableModel::kWindowRows);
    QCOMPARE(wanted.size(), 1);
    model.showRows(4000, 4030);
    QCOMPARE(model.query().limit, qsizetype{PagedTableModel::kWindowRows});
    QVERIFY(model.index(4000, 0).data().isNull()); // not there yet
    model.setPage(page(source, model.query()));
    QCOMPARE(model.index(4000, 0).data().toString(), QStringLiteral("4001"));
    QVERIFY(model.index(0, 0).data().isNull()); // let go of
    QCOMPARE(model.idAt(4000), 4001);
    QCOMPARE(model.idAt(0), -1);
    model.showRows(4999, 4999);
    model.setPage(page(source, model.query()));
    QCOMPARE(model.index(4999, 0).data().toString(), QStringLiteral("5000"));
}

/// Promise: when most clients have left, the window is not past the end for ever.
void TestClientTable::aTableThatHasShrunkIsFollowed()
{
    ClientTableModel model;
    model.setPage(page(FakeSource(5000), model.query()));
    model.showRows(4900, 4930);
    const QSignalSpy wanted(&model, &PagedTableModel::wanted);
    const FakeSource fewer(100);
    model.setPage(page(fewer, model.query()));
    QCOMPARE(wanted.size(), 1);
    model.setPage(page(fewer, model.query()));
    QCOMPARE(model.index(99, 0).data().toString(), QStringLiteral("100"));
}

/// Promise: who is selected stays selected, wherever a refresh puts him; and another one never is in
/// his place.
void TestClientTable::selectionFollowsTheClient()
{
    FakeSource source(50);
    ClientsPage clientsPage(source);
    clientsPage.show();
    QTableView &view = clientsPage.table().view();
    QVERIFY(waitFor([&] { return view.model()->rowCount() == 50; }));
    view.setCurrentIndex(view.model()->index(10, 0));
    QCOMPARE(clientsPage.selectedClient(), std::optional<qint64>(11));
    QVERIFY(clientsPage.detailText().contains(QLatin1String("Client 11")));

    source.clients.remove(0, 3); // three who stood above him leave
    clientsPage.table().refresh();
    QCOMPARE(view.currentIndex().row(), 7);
    QCOMPARE(clientsPage.selectedClient(), std::optional<qint64>(11));
    view.sortByColumn(0, Qt::DescendingOrder);
    QVERIFY(waitFor([&] { return source.lastQuery.isDescending; }));
    QCOMPARE(view.currentIndex().row(), 50 - 11);
    QVERIFY(clientsPage.detailText().contains(QLatin1String("Client 11")));
}

/// Promise: nobody else is shown, or disconnected, in the place of one who has left.
void TestClientTable::aClientThatWentIsSaidToBeGone()
{
    FakeSource source(5);
    ClientsPage clientsPage(source);
    clientsPage.show();
    QTableView &view = clientsPage.table().view();
    QVERIFY(waitFor([&] { return view.model()->rowCount() == 5; }));
    view.setCurrentIndex(view.model()->index(1, 0));
    source.clients.remove(1);
    clientsPage.table().refresh();
    QVERIFY(!view.currentIndex().isValid());
    QVERIFY(clientsPage.detailText().contains(QLatin1String("disconnected")));
    source.clients.insert(1, FakeSource(2).clients.last());
    clientsPage.table().refresh();
    QCOMPARE(view.currentIndex().row(), 1);
}

/// Promise: who is chosen stays chosen when so many leave that his row is no more; a view that looks
/// for the next best row has not chosen for the user.
void TestClientTable::selectionOutlivesItsRow()
{
    FakeSource source(100);
    ClientsPage clientsPage(source);
    clientsPage.show();
    QTableView &view = clientsPage.table().view();
    QVERIFY(waitFor([&] { return view.model()->rowCount() == 100; }));
    view.setCurrentIndex(view.model()->index(80, 0));
    source.clients.remove(0, 50);
    clientsPage.table().refresh();
    QCOMPARE(view.model()->rowCount(), 50);
    QCOMPARE(clientsPage.selectedClient(), std::optional<qint64>(81));
    QCOMPARE(view.currentIndex().row(), 30);
    QVERIFY(clientsPage.detailText().contains(QLatin1String("Client 81")));
    source.clients.clear();
    clientsPage.table().refresh();
    QCOMPARE(clientsPage.selectedClient(), std::optional<qint64>(81));
    QVERIFY(clientsPage.detailText().contains(QLatin1String("disconnected")));
}

/// Promise: a page ends while it is seen, and its view moves as it goes, without asking a table that has
/// gone before.
void TestClientTable::aPageMayGoWhileItIsScrolledAndSeen()
{
    FakeSource source(1000);
    source.channels = QList<ChannelRow>(1000);
    {
        ClientsPage clientsPage(source);
        clientsPage.show();
        QScrollBar *bar = clientsPage.table().view().verticalScrollBar();
        QVERIFY(waitFor([&] { return bar->maximum() > 0; }));
        bar->setValue(bar->maximum());
    }
    ChannelsPage channelsPage(source);
    channelsPage.show();
    QScrollBar *bar = channelsPage.table().view().verticalScrollBar();
    QVERIFY(waitFor([&] { return bar->maximum() > 0; }));
    bar->setValue(bar->maximum());
}

/// Promise: a count that no relay has does not become a table that no memory holds.
void TestClientTable::numbersThatNoRelayHasAreNotBelieved()
{
    constexpr auto kMax = std::numeric_limits<qint64>::max();
    constexpr auto kMin = std::numeric_limits<qint64>::min();
    ClientTableModel model;
    QTableView view;
    view.setModel(&model);
    for (const qint64 total : {kMax, kMin, qint64{-1}, qint64{PagedTableModel::kMaxRows} + 1}) {
        for (const qint64 offset : {kMax, kMin, qint64{-1}, qint64{0}}) {
            model.setPage({total, offset, {ClientRow()}});
            QVERIFY(model.rowCount() <= PagedTableModel::kMaxRows);
            QVERIFY(!model.index(5, 0).data().isValid());
            QCOMPARE(model.idAt(5), -1);
        }
    }
    model.setPage({PagedTableModel::kMaxRows, 0, {}});
    QCOMPARE(model.rowCount(), PagedTableModel::kMaxRows);
}

// Twenty thousand clients

/// Promise: who scrolls from one end to the other and rests here and there has windows of rows
/// fetched, for the places where he rests; never the table.
void TestClientTable::scrollingThroughAllFetchesWindows()
{
    ManyClients many;
    QVERIFY(many.areShown());
    constexpr int kRests = 5;
    const int fetchesBefore = many.source.fetches;
    for (int rest = 1; rest <= kRests; ++rest) {
        while (many.bar.value() < many.bar.maximum() / kRests * rest) {
            many.bar.setValue(many.bar.value() + many.bar.pageStep());
        }
        const int row = many.view.rowAt(0);
        QVERIFY(waitFor([&] {
            return many.view.model()->index(row, 0).data().toString() == QString::number(row + 1);
        }));
    }
    many.bar.setValue(many.bar.maximum());
    QVERIFY(waitFor([&] { return many.view.model()->index(kMany - 1, 0).data().isValid(); }));
    // Now and then the time for a refresh comes, too.
    QVERIFY2(many.source.fetches - fetchesBefore < 3 * kRests,
             qPrintable(QString::number(many.source.fetches - fetchesBefore)));
    QCOMPARE(many.source.mostRows, qsizetype{PagedTableModel::kWindowRows});
}

/// Promise: a click on a column, and a word in the filter, are put to the relay: one fetch of a window
/// each.
void TestClientTable::sortAndFilterFetchOneWindow()
{
    ManyClients many;
    QVERIFY(many.areShown());
    many.view.sortByColumn(0, Qt::DescendingOrder);
    QVERIFY(waitFor([&] {
        return many.view.model()->index(0, 0).data().toString() == QString::number(kMany);
    }));
    QCOMPARE(many.source.lastQuery.sort, QByteArray("id"));
    const int fetchesBefore = many.source.fetches;
    QTest::keyClicks(&many.clientsPage.table().filter(), QStringLiteral("10.0.0.7"));
    QVERIFY(waitFor([&] { return many.source.lastQuery.filter == QLatin1String("10.0.0.7"); }));
    // A fetch for each letter would be eight.
    QVERIFY(many.source.fetches - fetchesBefore <= 3);
    QVERIFY(many.source.lastQuery.isDescending);
    QCOMPARE(many.source.lastQuery.offset, 0);
    QCOMPARE(many.source.mostRows, qsizetype{PagedTableModel::kWindowRows});
}

/// What it costs to scroll on by a page, painted; to be below 50 ms.
void TestClientTable::costOfAPage()
{
    ManyClients many;
    QVERIFY(many.areShown());
    QBENCHMARK {
        many.bar.setValue(
            many.bar.value() == many.bar.maximum() ? 0 : many.bar.value() + many.bar.pageStep());
        QVERIFY(!many.view.grab().isNull());
    }
}

/// What it costs when the rows come where the scrolling rests, or at the next refresh, painted; to be
/// below 50 ms.
void TestClientTable::costOfRowsThatCome()
{
    ManyClients many;
    QVERIFY(many.areShown());
    const Page<ClientRow> middle = page(many.source, {.offset = 9'900, .limit = 300});
    ClientTableModel &model = many.model();
    QBENCHMARK {
        many.bar.setValue(10'000);
        model.setPage(middle);
        QVERIFY(!many.view.grab().isNull());
    }
    QCOMPARE(model.idAt(10'000), 10'001);
}

void TestClientTable::costOfSorting_data()
{
    QTest::addColumn<int>("column");
    const ClientTableModel model;
    for (int column = 0; column < model.columnCount(); ++column) {
        QTest::newRow(
            qPrintable(model.headerData(column, Qt::Horizontal, Qt::DisplayRole).toString()))
            << column;
    }
}

/// What it costs to sort by a column: in the relay, on the way as JSON, and here, painted; to be below
/// 50 ms.
void TestClientTable::costOfSorting()
{
    QFETCH(int, column);
    ManyClients many;
    QVERIFY(many.areShown());
    ClientTableModel &model = many.model();
    Qt::SortOrder order = Qt::DescendingOrder;
    QBENCHMARK {
        model.sort(column, order);
        const QByteArray json = QJsonDocument(toJson(page(many.source, model.query()))).toJson();
        model.setPage(fromJson<Page<ClientRow>>(QJsonDocument::fromJson(json).object()).value());
        QVERIFY(!many.view.grab().isNull());
        order = order == Qt::AscendingOrder ? Qt::DescendingOrder : Qt::AscendingOrder;
    }
}

RELAY_TEST_IN(relay::test::WidgetApplication, TestClientTable)
#include "tst_client_table.moc"
