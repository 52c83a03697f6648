#pragma once

#include "gui/relay/relay_source.h"
#include "gui/tables/event_log_model.h"

#include <QLabel>
#include <QLineEdit>
#include <QSortFilterProxyModel>
#include <QTableView>
#include <QWidget>

namespace relay::gui {

/// A live log of what happens to clients, and of the connection to the relay itself.
class EventsPage : public QWidget
{
    Q_OBJECT

public:
    explicit EventsPage(RelaySource &source, QWidget *parent = nullptr);

    /// See EventLogModel.
    void addOwnClient(qint64 id) { m_model.addOwnClient(id); }
    [[nodiscard]] QLineEdit &filter() { return *m_filter; }
    [[nodiscard]] QTableView &view() { return *m_view; }
    /// The rows that are selected, or all that the filter lets through, as text.
    [[nodiscard]] QString selectedText() const;
    [[nodiscard]] QString shownText() const;

private:
    QWidget *makeTools();
    void noteLink(const LinkState &link);
    void append(const RelayEvent &event);
    void askSave();
    void save(const QString &file);
    void showCount();

    EventLogModel m_model;
    QSortFilterProxyModel m_filtered;
    QLineEdit *m_filter;
    QLabel *m_count;
    QLabel *m_emptyHint = nullptr;
    QTableView *m_view = nullptr;
    LinkState::Link m_link = LinkState::Link::Connecting;
};

} // namespace relay::gui
