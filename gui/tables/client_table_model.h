#pragma once

#include "ops/model/client_row.h"
#include "ops/model/page.h"

#include "gui/tables/paged_table_model.h"

namespace relay::gui {

/// The relay's clients.
class ClientTableModel : public PagedTableModel
{
    Q_OBJECT

public:
    explicit ClientTableModel(QObject *parent = nullptr);

    void setPage(Page<ClientRow> page);
    /// nullptr for a row that is not held.
    [[nodiscard]] const ClientRow *client(qint64 id) const;

protected:
    [[nodiscard]] QString text(int row, int column) const override;
    [[nodiscard]] qint64 idOf(int row) const override { return m_page.rows[row].id; }

private:
    Page<ClientRow> m_page;
};

} // namespace relay::gui
