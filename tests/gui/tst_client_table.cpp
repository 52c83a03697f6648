#include "fake_source.h"
#include "gui/client_table_model.h"
#include "gui/clients_page.h"
#include "gui/table_pane.h"
#include "support/wait_for.h"

#include <QAbstractItemModelTester>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTest>

using namespace relay;
using namespace relay::gui;
using relay::test::waitFor;

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
    void twentyThousandRows();
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
    QVERIFY(clientsPage.detailText().contains(QLatin1String("gone")));
    source.clients.insert(1, FakeSource(2).clients.last());
    clientsPage.table().refresh();
    QCOMPARE(view.currentIndex().row(), 1);
}

/// What a refresh and a scroll to the middle cost at 20,000 clients; to be below 50 ms.
void TestClientTable::twentyThousandRows()
{
    FakeSource source(20'000);
    ClientsPage clientsPage(source);
    clientsPage.resize(1000, 700);
    clientsPage.show();
    QTableView &view = clientsPage.table().view();
    QVERIFY(waitFor([&] { return view.model()->rowCount() == 20'000; }));
    const Page<ClientRow> middle = page(source, {.offset = 9'900, .limit = 300});
    auto &model = static_cast<ClientTableModel &>(*view.model());
    QBENCHMARK {
        view.verticalScrollBar()->setValue(10'000);
        model.setPage(middle);
        QVERIFY(!view.grab().isNull());
    }
    QCOMPARE(model.idAt(10'000), 10'001);
}

QTEST_MAIN(TestClientTable)
#include "tst_client_table.moc"
