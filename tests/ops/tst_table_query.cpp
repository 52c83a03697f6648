#include "ops/model/channel_row.h"
#include "ops/model/client_row.h"
#include "ops/table_query.h"

#include "support/test_main.h"

#include <QTest>

#include <limits>

using namespace relay;

namespace {

constexpr qsizetype kMaxLimit = 1000;

std::variant<TableQuery, HttpResponse> read(const QByteArray &query)
{
    return readTableQuery(RequestTarget{{}, "/-/api/clients", query}, kMaxLimit);
}

/// Sets a field so that rows with a larger `rank` come later.
template <typename T>
void setRank(T &value, int rank)
{
    if constexpr (detail::IsOptional<T>::value) {
        if (rank > 0) { // nothing comes before everything
            setRank(value.emplace(), rank);
        }
    } else if constexpr (std::is_same_v<T, QString>) {
        value = QString(QChar(u'a' + rank));
    } else if constexpr (std::is_arithmetic_v<T>) {
        value = static_cast<T>(rank);
    }
}

/// Rows whose field `name` is in the order 2, 0, 1, and whose others are as they are.
template <typename Row>
QList<Row> shuffledBy(QByteArrayView name)
{
    QList<Row> rows;
    for (const int rank : {2, 0, 1}) {
        Row &row = rows.emplaceBack();
        std::apply(
            [&](const auto &...fields) {
                ((name == fields.name ? setRank(row.*fields.member, rank) : void()), ...);
            },
            Row::jsonFields());
    }
    return rows;
}

/// All rows in the order that is asked for; none when it is refused.
template <typename Row>
std::optional<QList<Row>> sorted(const QList<Row> &rows, QByteArray name, bool isDescending)
{
    const auto answer =
        pageOf(rows, TableQuery{.sort = std::move(name), .isDescending = isDescending});
    const auto *page = std::get_if<Page<Row>>(&answer);
    return page == nullptr ? std::nullopt : std::optional(page->rows);
}

template <typename Row>
void everyFieldSorts(const QByteArrayList &unsortable)
{
    std::apply(
        [&](const auto &...fields) {
            for (const char *name : {fields.name...}) {
                const QList<Row> rows = shuffledBy<Row>(name);
                if (unsortable.contains(name)) {
                    QVERIFY2(!sorted(rows, name, false), name);
                    continue;
                }
                QVERIFY2((sorted(rows, name, false) == QList<Row>{rows[1], rows[2], rows[0]}),
                         name);
                QVERIFY2((sorted(rows, name, true) == QList<Row>{rows[0], rows[2], rows[1]}), name);
            }
        },
        Row::jsonFields());
}

QList<ClientRow> rowsOf(qsizetype count)
{
    QList<ClientRow> rows;
    for (qsizetype i = 0; i < count; ++i) {
        rows.emplaceBack().id = i;
    }
    return rows;
}

} // namespace

/// How a list is asked for, and what part of it is given.
class TestTableQuery : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsWhatIsAsked();
    void refuses_data();
    void refuses();
    void limitIsBounded();
    void everyFieldOfARowSortsButObjects();
    void equalRowsAreInTheOrderOfTheirFirstField();
    void withoutSortTheFirstFieldSorts();
    void unknownFieldIsRefused();
    void pages_data();
    void pages();
};

void TestTableQuery::readsWhatIsAsked()
{
    const auto query =
        read("sort=bytes_out&order=desc&filter=caf%C3%A9%20x&offset=20&limit=7&unknown=1");
    const auto *wanted = std::get_if<TableQuery>(&query);
    QVERIFY(wanted);
    QCOMPARE(wanted->sort, QByteArray("bytes_out"));
    QVERIFY(wanted->isDescending);
    QCOMPARE(wanted->filter, QStringLiteral("caf\u00e9 x"));
    QCOMPARE(wanted->offset, 20);
    QCOMPARE(wanted->limit, 7);

    const auto nothing = read({});
    wanted = std::get_if<TableQuery>(&nothing);
    QVERIFY(wanted);
    QVERIFY(wanted->sort.isEmpty() && wanted->filter.isEmpty() && !wanted->isDescending);
    QCOMPARE(wanted->offset, 0);
    QCOMPARE(wanted->limit, 100);
}

void TestTableQuery::refuses_data()
{
    QTest::addColumn<QByteArray>("query");
    QTest::addColumn<QByteArray>("named");
    QTest::newRow("order") << QByteArray("order=up") << QByteArray("order");
    QTest::newRow("empty order") << QByteArray("order=") << QByteArray("order");
    QTest::newRow("negative offset") << QByteArray("offset=-1") << QByteArray("offset");
    QTest::newRow("word") << QByteArray("limit=all") << QByteArray("limit");
    QTest::newRow("empty") << QByteArray("limit=") << QByteArray("limit");
    QTest::newRow("fraction") << QByteArray("limit=1.5") << QByteArray("limit");
    QTest::newRow("2^63") << QByteArray("offset=9223372036854775808") << QByteArray("offset");
}

/// What cannot be meant is not guessed at; the answer names the parameter.
void TestTableQuery::refuses()
{
    QFETCH(const QByteArray, query);
    QFETCH(const QByteArray, named);
    const auto answer = read(query);
    const auto *refused = std::get_if<HttpResponse>(&answer);
    QVERIFY(refused);
    QCOMPARE(refused->status, 400);
    QVERIFY2(refused->body.contains(QByteArray("parameter " + named)), refused->body.constData());
}

/// One answer does not grow without bound, whatever is asked.
void TestTableQuery::limitIsBounded()
{
    for (const qsizetype limit :
         {kMaxLimit - 1, kMaxLimit, kMaxLimit + 1, std::numeric_limits<qsizetype>::max()})
    {
        const auto query = read("limit=" + QByteArray::number(limit));
        QCOMPARE(std::get<TableQuery>(query).limit, std::min(limit, kMaxLimit));
    }
}

/// Whatever a table shows can be sorted by, both ways; nothing comes before everything.
void TestTableQuery::everyFieldOfARowSortsButObjects()
{
    everyFieldSorts<ClientRow>({"socket"});
    everyFieldSorts<ChannelRow>({});
}

/// The relay finds its clients in another order each time: whatever that is, no row is on two pages,
/// or on none.
void TestTableQuery::equalRowsAreInTheOrderOfTheirFirstField()
{
    const QList<ClientRow> rows = rowsOf(100);
    const QList<ClientRow> otherwise(rows.rbegin(), rows.rend());
    for (const bool isDescending : {false, true}) {
        QVERIFY(sorted(rows, "channel", isDescending) == rows);
        QVERIFY(sorted(otherwise, "channel", isDescending) == rows);
    }
}

void TestTableQuery::withoutSortTheFirstFieldSorts()
{
    const QList<ClientRow> rows = rowsOf(100);
    const QList<ClientRow> otherwise(rows.rbegin(), rows.rend());
    QVERIFY(sorted(otherwise, {}, false) == rows);
    QVERIFY(sorted(rows, {}, true) == otherwise);
}

void TestTableQuery::unknownFieldIsRefused()
{
    for (const char *name : {"nothing", "ID", "id ", "socket", "socket.rtt_seconds"}) {
        const auto page = pageOf(rowsOf(3), TableQuery{.sort = name});
        const auto *refused = std::get_if<HttpResponse>(&page);
        QVERIFY2(refused, name);
        QCOMPARE(refused->status, 400);
    }
}

void TestTableQuery::pages_data()
{
    QTest::addColumn<qsizetype>("offset");
    QTest::addColumn<qsizetype>("limit");
    QTest::addColumn<qsizetype>("first");
    QTest::addColumn<qsizetype>("count");
    const auto row = [](const char *name, qsizetype offset, qsizetype limit, qsizetype count) {
        QTest::newRow(name) << offset << limit << offset << count;
    };
    constexpr qsizetype kMost = std::numeric_limits<qsizetype>::max();
    row("first page", 0, 4, 4);
    row("second", 4, 4, 4);
    row("what is left", 8, 4, 2);
    row("all", 0, 10, 10);
    row("more than all", 0, 11, 10);
    row("last", 9, 1, 1);
    row("at the end", 10, 4, 0);
    row("past the end", 11, 4, 0);
    row("far past the end", kMost, kMost, 0);
    row("none", 3, 0, 0);
    row("rest", 3, kMost, 7);
}

/// The rows from `offset` on, as many as asked for, and how many there are at all.
void TestTableQuery::pages()
{
    QFETCH(const qsizetype, offset);
    QFETCH(const qsizetype, limit);
    QFETCH(const qsizetype, first);
    QFETCH(const qsizetype, count);
    const auto answer = pageOf(rowsOf(10), TableQuery{.offset = offset, .limit = limit});
    const auto *page = std::get_if<Page<ClientRow>>(&answer);
    QVERIFY(page);
    QCOMPARE(page->total, 10);
    QCOMPARE(page->offset, offset);
    QCOMPARE(page->rows.size(), count);
    for (qsizetype i = 0; i < count; ++i) {
        QCOMPARE(page->rows[i].id, first + i);
    }
}

RELAY_TEST(TestTableQuery)
#include "tst_table_query.moc"
