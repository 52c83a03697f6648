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

/// The channels, and of the chosen one its messages, live; one can be published to it, and its history
/// be forgotten.
///
/// It listens to the chosen channel as a client while the page is visible, and is counted as one.
class ChannelsPage : public QWidget
{
    Q_OBJECT

public:
    /// The source must outlive it.
    explicit ChannelsPage(RelaySource &source, QWidget *parent = nullptr);
    ~ChannelsPage() override;
    Q_DISABLE_COPY_MOVE(ChannelsPage)

    [[nodiscard]] TablePane &table() { return *m_table; }
    [[nodiscard]] MessagePane &messages() { return *m_messages; }
    [[nodiscard]] QString selectedChannel() const { return m_selected; }

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

    RelaySource &m_source;
    ChannelTableModel m_model;
    TablePane *m_table;
    QLabel *m_title;
    MessagePane *m_messages;
    QLineEdit *m_text;
    QPushButton *m_send;
    QPushButton *m_clear;
    QLabel *m_outcome;
    QString m_selected; ///< empty: none
};

} // namespace relay::gui
