#pragma once

#include "gui/relay/relay_source.h"
#include "gui/tables/channel_table_model.h"

#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QWidget>

namespace relay::gui {

class MessagePane;
class TablePane;

/// The channels, and the live messages of the selected one, with a box to publish and a button to clear its history.
///
/// While it is visible, the page listens to the selected channel as a client. This client is this window's own: it is
/// not counted in the page's numbers.
class ChannelsPage : public QWidget
{
    Q_OBJECT

public:
    /// The source must outlive it.
    explicit ChannelsPage(RelaySource &source, QWidget *parent = nullptr);

    [[nodiscard]] TablePane &table() { return *m_table; }
    [[nodiscard]] MessagePane &messages() { return *m_messages; }
    [[nodiscard]] QString selectedChannel() const { return m_selected; }

Q_SIGNALS:
    /// The relay's number of the client by which this page listens.
    void ownClientFound(qint64 id);

protected:
    void showEvent(QShowEvent *event) override;
    void hideEvent(QHideEvent *event) override;

private:
    QWidget *makeSide();
    void fetch(const TableQuery &query);
    void take(const Result<Page<ChannelRow>> &page);
    void select(int row);
    void listen();
    void publish();
    void askClear();
    void noteListening(bool isListening);

    RelaySource &m_source;
    ChannelTableModel *m_model; ///< the table's
    TablePane *m_table;
    QLabel *m_title;
    MessagePane *m_messages;
    QLineEdit *m_text;
    QPushButton *m_send;
    QPushButton *m_clear;
    QLabel *m_outcome;
    QString m_selected; ///< empty: none
    /// The channel that was listened to when the table's rows were asked for, so that they count this window; empty: none.
    QString m_countedIn;
};

} // namespace relay::gui
