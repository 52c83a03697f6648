#pragma once

#include "gui/relay/relay_source.h"
#include "gui/tables/client_table_model.h"

#include <QLabel>
#include <QPushButton>
#include <QWidget>

#include <optional>

namespace relay::gui {

class TablePane;
class ClientDetail;

/// The connected clients, each with a verdict and its reason, and a button to disconnect one.
class ClientsPage : public QWidget
{
    Q_OBJECT

public:
    /// The source must outlive it.
    explicit ClientsPage(RelaySource &source, QWidget *parent = nullptr);

    [[nodiscard]] TablePane &table() { return *m_table; }
    [[nodiscard]] std::optional<qint64> selectedClient() const { return m_selected; }
    [[nodiscard]] QString detailText() const;

private:
    void fetch(const TableQuery &query);
    void take(const Result<Page<ClientRow>> &page);
    void select(int row);
    void showSelected();
    void askDisconnect();

    RelaySource &m_source;
    ClientTableModel *m_model; ///< the table's
    TablePane *m_table;
    ClientDetail *m_detail;
    QPushButton *m_disconnect;
    std::optional<qint64> m_selected;
};

} // namespace relay::gui
